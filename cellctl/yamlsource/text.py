"""The guard over a file's text, before any parser sees it: its size, its encoding, and characters nobody can see."""

from __future__ import annotations

import re

from cellctl.findings import Report, Span, split_lines
from cellctl.yamlsource.codes import NOT_UTF8, TOO_LARGE, UNSEEN

MOST_BYTES = 1_000_000

MOST_UNSEEN, MOST_UNSEEN_SHARE = 20, 0.1  # of characters that may not be in a text; with more it is none

LOST = "\N{REPLACEMENT CHARACTER}"
# What YAML does not allow, its surplus line breaks, and characters that make text look other than it is.
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffc\U00010000-\U0010ffff]"
    "|[\u2028\u2029\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069]"
)


def decoded(source: bytes | str, file: str, report: Report) -> str | None:
    """The text with every character that may not be in it replaced by one that may, each in a finding."""
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        message = f"the file is larger than {MOST_BYTES:,} bytes"
        report.error(TOO_LARGE, start_of(file), message, "split it, or check that it is the file you mean")
        return None
    if isinstance(source, bytes):
        if source.startswith((b"\xff\xfe", b"\xfe\xff")):
            report.error(NOT_UTF8, start_of(file), "the file is UTF-16, not UTF-8", "save it as UTF-8")
            return None
        text = source.decode("utf-8", "surrogateescape")  # a bad byte 0xNN becomes the surrogate U+DCNN
    else:
        text = source
    text = text.removeprefix("\ufeff")
    if _UNSEEN.search(text):
        unseen = len(_UNSEEN.findall(text))
        if unseen > MOST_UNSEEN and unseen > len(text) * MOST_UNSEEN_SHARE:
            report.error(
                NOT_UTF8, start_of(file), "the file is not text", "check that it is the file you mean"
            )
            return None
        _refuse_unseen(text, file, isinstance(source, bytes), report)
    return _UNSEEN.sub(LOST, text)


def _refuse_unseen(text: str, file: str, was_bytes: bool, report: Report) -> None:
    for number, line in enumerate(split_lines(text), start=1):
        for match in _UNSEEN.finditer(line):
            column, code = match.start() + 1, ord(match[0])
            is_byte = was_bytes and 0xDC80 <= code <= 0xDCFF
            if not report.keeps(file, NOT_UTF8 if is_byte else UNSEEN):
                continue
            span = Span(file, number, column, number, column + 1)
            if is_byte:
                report.error(NOT_UTF8, span, f"the byte 0x{code - 0xDC00:02x} is not UTF-8", "save as UTF-8")
            elif match[0] == LOST:
                report.error(UNSEEN, span, "a character was lost here", "write it again")
            else:
                report.error(UNSEEN, span, f"the character U+{code:04X} cannot be seen", "remove it")


def start_of(file: str) -> Span:
    """Where a finding about the whole file stands."""
    return Span(file, 1, 1, 1, 1)
