"""The real yaml-language-server, driven over its standard streams: what an editor shows of a line or recipe file."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "CELLCTL_YAML_LANGUAGE_SERVER"  # the program; else it is looked for on the path
PATIENCE = 30.0  # [s]
ROOT = Path(__file__).parents[3]

Position = tuple[int, int]  # line and character, from 0


class LanguageServer:
    """A client of the Language Server Protocol, as small as its questions here are."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._incoming: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()
        self._ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": ROOT.as_uri(),
                "capabilities": {
                    "textDocument": {"completion": {"completionItem": {"documentationFormat": ["markdown"]}}},
                    "workspace": {"configuration": False},
                },
            },
        )
        self._tell("initialized", {})
        settings = {
            "validate": True,
            "hover": True,
            "completion": True,
            "schemaStore": {"enable": False},
            "kubernetesCRDStore": {"enable": False},
        }
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": settings}})

    def diagnostics(self, path: Path, text: str) -> list[tuple[int, str]]:
        """What the editor underlines in a file with this text: line, from 0, and message."""
        uri = self._open(path, text)
        while uri not in self._diagnostics:
            self._take()
        found = self._diagnostics.pop(uri)
        return sorted((each["range"]["start"]["line"], each["message"]) for each in found)

    def completions(self, path: Path, text: str, at: Position) -> dict[str, str]:
        """What the editor offers at a place: label and documentation."""
        found = self._ask("textDocument/completion", self._at(path, text, at))
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: _text(item.get("documentation")) for item in items}

    def hover(self, path: Path, text: str, at: Position) -> str:
        """What the editor says of the place that the pointer rests on."""
        found = self._ask("textDocument/hover", self._at(path, text, at))
        return _text(found["contents"]) if found else ""

    def close(self) -> None:
        self._ask("shutdown", None)
        self._tell("exit", None)
        self._process.wait(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    # --- the protocol: JSON-RPC with a Content-Length (Language Server Protocol 3.17, base protocol) ----------------

    def _at(self, path: Path, text: str, at: Position) -> dict[str, Any]:
        uri = self._open(path, text)
        return {"textDocument": {"uri": uri}, "position": {"line": at[0], "character": at[1]}}

    def _open(self, path: Path, text: str) -> str:
        """The file as the editor has it now; the server knows each text under a name of its own."""
        self._number += 1
        uri = path.with_name(f"{path.stem}-{self._number}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _ask(self, method: str, params: Any) -> Any:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._take()
            if message.get("id") == number and "method" not in message:
                assert "error" not in message, message
                return message.get("result")

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _take(self) -> dict[str, Any]:
        """The next message of the server; its own questions are answered with nothing."""
        message = self._incoming.get(timeout=PATIENCE)
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": None})
        return message

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while head := stream.readline():
            if head.lower().startswith(b"content-length:"):
                length = int(head.split(b":")[1])
                while stream.readline().strip():
                    pass
                self._incoming.put(json.loads(stream.read(length)))


def _text(value: Any) -> str:
    return value.get("value", "") if isinstance(value, dict) else str(value or "")


@pytest.fixture(scope="session")
def editor() -> Iterator[LanguageServer]:
    """One language server for all tests; skipped where there is none."""
    program = os.environ.get(VARIABLE) or shutil.which("yaml-language-server")
    if program is None:
        pytest.skip(f"no yaml-language-server on the path; npm install -g it, or set {VARIABLE}")
    server = LanguageServer(program)
    yield server
    server.close()
