"""Verdicts on expectations for programs: as JSON, and as the JUnit XML that build servers read."""

from pathlib import Path
from typing import Any, assert_never
from xml.etree import ElementTree as ET

import msgspec

from gateway.cli.output import near
from gateway.cli.verdicts import Report, explaining, outcome, surprise
from policy import Decision, NeedsBody, visible
from policy.analysis import (
    Allowed,
    Answer,
    AnsweredBy,
    Coverage,
    Denied,
    Expected,
    Refusal,
    Verdict,
)

__all__ = ["as_json", "as_junit"]


def as_json(report: Report) -> dict[str, Any]:
    """Every verdict, also those that are as expected."""
    return {
        "policy": report.policy,
        "files": report.files,
        "findings": [msgspec.to_builtins(finding) for finding in report.findings],
        "expectations": len(report.verdicts),
        "not_as_expected": len(report.surprises),
        "verdicts": [_verdict_json(verdict, report.config) for verdict in report.verdicts],
        "coverage": None if report.coverage is None else _coverage_json(report.coverage),
    }


def _verdict_json(verdict: Verdict, config: Path) -> dict[str, Any]:
    expectation = verdict.expectation
    return {
        "where": msgspec.to_builtins(expectation.where),
        "name": expectation.name or None,
        "request": expectation.request,
        "caller": expectation.who or None,
        "as_expected": verdict.as_expected,
        "expected": _expected_json(expectation.expected),
        "actual": _answer_json(verdict.answer),
        "explain": explaining(expectation, config),
    }


def _expected_json(expected: Expected) -> dict[str, Any]:
    match expected:
        case Allowed(because):
            return {"effect": "allow", "because": because}
        case Denied(reason, missing, because):
            return {"effect": "deny", "reason": reason, "missing": missing, "because": because}
        case AnsweredBy(route):
            return {"route": route}
        case _ as never:
            assert_never(never)


def _answer_json(answer: Answer) -> dict[str, Any]:
    match answer:
        case Decision():
            return {
                "effect": answer.effect,
                "reason": answer.reason,
                "missing": answer.missing or None,
                "because": answer.because,
                "route": None if answer.route is None else answer.route.id,
            }
        case NeedsBody():
            reason, route = "needs-body", answer.route.id
            return {
                "effect": None, "reason": reason, "missing": None, "because": (), "route": route,
            }  # fmt: skip
        case Refusal(_, code, detail):
            return {
                "effect": "deny", "reason": code, "missing": None, "because": (), "route": None,
                "detail": detail,
            }  # fmt: skip
        case _ as never:
            assert_never(never)


def _coverage_json(coverage: Coverage) -> dict[str, Any]:
    return {
        dimension.title: {
            "covered": dimension.covered,
            "total": dimension.total,
            "percent": dimension.percent,
            "gaps": dimension.gaps,
        }
        for dimension in coverage.dimensions
    }


def as_junit(report: Report) -> str:
    """One suite a file, one case an expectation; a finding is an error of its file."""
    root = ET.Element("testsuites", name="ucs-gateway test")
    for file in report.files:
        verdicts = [each for each in report.verdicts if each.expectation.where.file == file]
        findings = [each for each in report.findings if each.where.file == file]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=near(file),
            tests=str(len(verdicts) + len(findings)),
            failures=str(sum(not verdict.as_expected for verdict in verdicts)),
            errors=str(len(findings)),
        )
        for finding in findings:
            case = _case(suite, near(file), f"line {finding.where.line}: {finding.code}")
            error = ET.SubElement(case, "error", type=finding.code)
            error.set("message", finding.message)
            error.text = near(str(finding))
        for verdict in verdicts:
            _junit_verdict(suite, verdict, report.config)
    ET.indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}\n{ET.tostring(root, encoding='unicode')}"


def _case(suite: ET.Element, file: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=visible(file), name=visible(name))


def _junit_verdict(suite: ET.Element, verdict: Verdict, config: Path) -> None:
    expectation = verdict.expectation
    named = f"{expectation.name}: " if expectation.name else ""
    who = f" as {expectation.who}" if expectation.who else " is answered"
    place = f"line {expectation.where.line}"
    name = f"{place}: {named}{expectation.request}{who}"
    case = _case(suite, near(expectation.where.file), name)
    if not verdict.as_expected:
        expected, actual = outcome(verdict)
        failure = ET.SubElement(case, "failure", type="not-as-expected")
        failure.set("message", f"expected {expected}; {actual}")
        failure.text = near(surprise(verdict, config))
