"""A node is held against a model; of what pydantic finds, only the problems that were not found before are told."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from cellctl.findings import Report
from cellctl.reading.problems import placed, settled
from cellctl.reading.wording import tell
from cellctl.yamlsource import Mapping, Node, Refused, Scalar, Sequence

M = TypeVar("M", bound=BaseModel)

LONGEST_KNOWN = 2000  # characters of a value that is kept, to be read once however often it is written


def read(node: Node | None, model: type[M], report: Report) -> M | None:
    """The node as a `model`, or None after at least one error in `report`, there by this call or by an earlier one.

    Types are strict: text is no number, and a number no text.
    """
    if node is None or isinstance(node, Refused):
        return None
    try:
        value = _validated(model, json.dumps(node.plain))
    except ValidationError as error:
        problems = [placed(node, model, detail) for detail in error.errors(include_url=False)]
        tell(settled([p for p in problems if not isinstance(p.node, Refused)]), report)
        return None
    return None if _holds_refused(node) else value


def _validated(model: type[M], text: str) -> M:
    return _known(model, text) if len(text) <= LONGEST_KNOWN else _read(model, text)


def _read(model: type[M], text: str) -> M:
    return model.model_validate_json(text, strict=True)


_known = lru_cache(maxsize=1024)(_read)  # steps of many recipes and variants are the same


def fault(code: str, message: str, help: str = "") -> PydanticCustomError:
    """What a model's own validator raises to make a finding with a code and a remedy of its own."""
    return PydanticCustomError("fault", "{message}", {"code": code, "message": message, "help": help})


def _holds_refused(node: Node) -> bool:
    match node:
        case Refused():
            return True
        case Mapping():
            return not node.is_whole or any(_holds_refused(value) for value in node.items.values())
        case Sequence():
            return any(_holds_refused(item) for item in node.items)
        case Scalar():
            return False
