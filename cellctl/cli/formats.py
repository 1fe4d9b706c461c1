"""Findings in the forms that other programs read: GitHub annotations, SARIF 2.1.0, JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from cellctl.cli.explain import all_codes
from cellctl.findings import Finding, Report, Severity, Span


def as_github(report: Report) -> str:
    """Workflow commands, one line each: GitHub shows them at the changed lines."""
    return "".join(f"{_annotation(finding)}\n" for finding in report.findings)


def _annotation(finding: Finding) -> str:
    span = finding.span
    place = f"file={_shown(span.file)},line={span.line},col={span.column},endLine={span.end_line}"
    text = f"{finding.message}. {finding.help}" if finding.help else finding.message
    return f"::{finding.severity} {place},title={finding.code}::{_quoted(text)}"


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def as_sarif(report: Report, version: str) -> str:
    """Static Analysis Results Interchange Format (OASIS, 2.1.0)."""
    codes = sorted({finding.code for finding in report.findings})
    driver = {"name": "cellctl", "version": version, "rules": [_sarif_rule(code) for code in codes]}
    run = {"tool": {"driver": driver}, "results": [_sarif_result(finding) for finding in report.findings]}
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _sarif_rule(code: str) -> dict[str, Any]:
    text = all_codes()[code]
    return {"id": code, "shortDescription": {"text": text["what"]}, "help": {"text": text["instead"]}}


def _sarif_result(finding: Finding) -> dict[str, Any]:
    text = f"{finding.message}. {finding.help}" if finding.help else finding.message
    result = {
        "ruleId": finding.code,
        "level": str(finding.severity),
        "message": {"text": text},
        "locations": [_sarif_location(finding.span)],
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_sarif_location(other.span), "message": {"text": other.label}} for other in finding.related
        ]
    return result


def _sarif_location(span: Span) -> dict[str, Any]:
    """A place; a path becomes a relative reference, with what a URI may not hold quoted (section 3.4.4)."""
    region = {"startLine": span.line, "startColumn": span.column}
    region |= {"endLine": span.end_line, "endColumn": span.end_column}
    file = {"uri": quote(_shown(span.file))}
    return {"physicalLocation": {"artifactLocation": file, "region": region}}


def as_junit(report: Report, checked: Sequence[str]) -> str:
    """One test case a file: failed when it has an error."""
    cases = []
    for file in dict.fromkeys((*checked, *(finding.span.file for finding in report.findings))):
        errors = [f for f in report.findings if f.span.file == file and f.severity is Severity.ERROR]
        lines = "\n".join(f"{f.span}: {f.code}: {f.message}" for f in errors)
        failure = (
            f"<failure message={quoteattr(errors[0].message)}>{escape(lines)}</failure>" if errors else ""
        )
        cases.append(
            f'<testcase classname="cellctl.check" name={quoteattr(_shown(file))}>{failure}</testcase>'
        )
    failed = sum("<failure" in case for case in cases)
    head = f'<testsuite name="cellctl check" tests="{len(cases)}" failures="{failed}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>"]) + "\n"


def _shown(file: str) -> str:
    """Relative to where the command runs, as these programs expect it."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file
