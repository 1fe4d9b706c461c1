"""What a crash leaves of a commit that was not synced: a piece of its bytes, of which recovery takes all or nothing.

As in SQLite's write-ahead log (https://www.sqlite.org/fileformat2.html#walformat): a commit counts when its last frame
is there and the checksum over all of them holds; what is torn is passed over when the file is opened again.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

WORD = 4  # bytes of a length or checksum


def commit_bytes(rows: Sequence[bytes]) -> bytes:
    """A commit as it is written: length and rows, each with its length, and a checksum over them."""
    body = b"".join(_word(len(row)) + row for row in rows)
    return _word(len(body)) + body + _word(crc32(body))


def torn(commit: bytes, share: float) -> bytes:
    """What is left when only this share of its bytes, 0 to 1, came to the medium."""
    return commit[: round(share * len(commit))]


def recovered(tail: bytes) -> tuple[bytes, ...]:
    """The rows of a commit that is whole; none of one that is torn."""
    size = int.from_bytes(tail[:WORD], "big")
    body, checksum = tail[WORD : WORD + size], tail[WORD + size :]
    if not tail or len(body) < size or checksum != _word(crc32(body)):
        return ()
    return tuple(rows_of(body))


def rows_of(body: bytes) -> list[bytes]:
    """The rows in these bytes, as far as they are whole."""
    rows, at = [], 0
    while at + WORD <= len(body):
        end = at + WORD + int.from_bytes(body[at : at + WORD], "big")
        if end > len(body):
            break
        rows.append(body[at + WORD : end])
        at = end
    return rows


def _word(number: int) -> bytes:
    return number.to_bytes(WORD, "big")
