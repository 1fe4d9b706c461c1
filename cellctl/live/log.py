"""Structured log lines on stderr, by the standard library's logging: readable on a terminal, JSON everywhere else."""

from __future__ import annotations

import logging
import sys
import time
from typing import TextIO

import msgspec

from cellctl.runtime import Log

ROOT = "cellctl"  # the logger above all processes' loggers
_encoder = msgspec.json.Encoder(enc_hook=str)


class ProcessLog:
    """The log of one process. Fulfils `cellctl.runtime.Log`."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._logger = logging.getLogger(f"{ROOT}.{process}")

    def debug(self, event: str, **fields: object) -> None:
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write(logging.ERROR, event, fields)

    def _write(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", event, extra={"process_name": self._process, "fields": fields})


def process_log(process: str, level: int = logging.INFO, stream: TextIO | None = None) -> Log:
    """The log of the process of this name, written to `stream` (stderr). Replaces what was set before."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Plain() if stream.isatty() else Json())
    root = logging.getLogger(ROOT)
    root.handlers, root.propagate = [handler], False
    logging.raiseExceptions = False  # what cannot be written, on a full disk, is lost without a traceback
    root.setLevel(level)
    return ProcessLog(process)


class Plain(logging.Formatter):
    """`12:30:05.120 WARNING belt: rejected on the bus (peer=press times=4)`."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = f"{at}.{int(record.msecs):03} {record.levelname} {_process(record)}: {record.getMessage()}"
        return _with_trace(self, record, f"{line} ({fields})" if fields else line)


class Json(logging.Formatter):
    """One JSON object a line: `at` in UTC seconds, `level`, `process`, `event`, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": round(record.created, 6),
            "level": record.levelname.lower(),
            "process": _process(record),
            "event": record.getMessage(),
        }
        trace = _with_trace(self, record, "").strip()
        return _encoder.encode(line | _fields(record) | ({"trace": trace} if trace else {})).decode()


def _process(record: logging.LogRecord) -> str:
    return str(getattr(record, "process_name", record.name))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


def _with_trace(formatter: logging.Formatter, record: logging.LogRecord, line: str) -> str:
    return f"{line}\n{formatter.formatException(record.exc_info)}" if record.exc_info else line
