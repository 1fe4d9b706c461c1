"""What plain text means in the YAML 1.2 core schema: `no` and `12:30:45` are text, `0o17` is a number."""

from __future__ import annotations

import math
import re

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
LEADING_ZEROS = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?")
_LONGEST_NUMBER = 400  # characters; no double needs more


def resolve(text: str) -> str | int | float | bool | None:
    """What a plain scalar means in the YAML 1.2 core schema. Raises `OverflowError` beyond 64 bits or a double."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if is_int := _INT.fullmatch(text):
        number: int | float = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) < 100 else 2**64
    elif _FLOAT.fullmatch(text):
        number = float(text) if len(text) < _LONGEST_NUMBER else math.inf
    else:
        return text
    if math.isinf(number) or (is_int and not -(2**63) <= number < 2**63):
        raise OverflowError
    return number
