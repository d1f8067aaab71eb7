"""Results of validation as SARIF 2.1.0, which editors and pipelines show beside the file.

Source: OASIS SARIF 2.1.0, 3.13 (log), 3.14 (run), 3.19 (tool component), 3.27 (result), 3.30
(region), 3.49 (rule).
"""

import os
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from audit import __version__
from audit.query.validation import ValidationResult
from audit.record.findings import Finding
from audit.standards.rules import Rule, all_rules

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
STANDARD_INPUT = "stdin"
"""How standard input is named, which has no address."""

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "info": "recommendation"}
"""What code scanning on GitHub sorts rules by."""


def sarif(results: Iterable[ValidationResult]) -> dict[str, Any]:
    """One SARIF log with one run: every finding of the results, and every rule.

    Lines and columns count in the file, from 1; columns are Unicode characters.
    """
    rules = all_rules()
    places = {rule.id: n for n, rule in enumerate(rules)}
    found = [
        _result(located, result, places) for result in results for located in result.located()
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "arr validate",
                        "version": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": found,
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title} ({rule.clause})"},
        "help": {
            "text": f"{rule.fix} Source: {rule.clause}.",
            "markdown": f"{_plain(rule.fix)}\n\n*{_plain(rule.clause)}*",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "clause": rule.clause,
            "tags": [rule.group],
            "precision": "very-high",
            "problem.severity": _PROBLEMS[rule.severity],
        },
    }


def _plain(text: str) -> str:
    """The text without anything that Markdown would take for its own."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in text)


def _result(
    located: tuple[Finding, int, int], result: ValidationResult, places: dict[str, int]
) -> dict[str, Any]:
    one, line, column = located
    return {
        "ruleId": one.rule,
        "ruleIndex": places[one.rule],
        "level": _LEVELS[one.severity],
        "message": {"text": f"{one.message}. {one.fix}" if one.fix else one.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _address(result.file)},
                    "region": {"startLine": line, "startColumn": column},
                },
                "logicalLocations": [{"fullyQualifiedName": one.path or "/"}],
            }
        ],
        "partialFingerprints": {"ruleAndPlace/v1": f"{one.rule} {result.source} {one.path}"},
        "properties": {
            "clause": one.clause,
            "message": result.source,
            "tier": result.assessment.tier,
            "verdict": result.verdict,
        },
    }


def _address(file: str) -> str:
    """A URI reference of the file, relative where the file was named so."""
    if file == "-":
        return STANDARD_INPUT
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
