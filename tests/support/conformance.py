"""A pytest plugin that collects what the tests show, and writes `docs/conformance.md` from it.

To say that a test shows something, name its ids, or patterns of them, from `conformance_table.ids()`::

    @pytest.mark.conformance("rule/response.cancel", "client/*/response.cancel")
    def test_a_cancelled_response_is_done(): ...

    @pytest.mark.parametrize("dialect", ["ga", "preview"])
    @pytest.mark.conformance("client/{dialect}/response.cancel")     # filled in from the parameters
    def test_cancel_in_each_dialect(dialect): ...

A new rule goes into `conformance_table.RULES`, a reason for not serving one into `NOT_SERVED`. An id without
a test is listed as *not tested*; one that is said to be not served must have no test; a pattern that fits no
id ends the run. Then::

    make conformance          # runs the marked tests and writes the page

`tests/contract/test_conformance.py` fails where page, table and marks no longer fit together. Marks are read
there from the sources, so they have to be written at the test, with literal strings.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

__all__ = ["Findings", "marks_in", "page"]

MARK = "conformance"


@dataclass
class Findings:
    """For each id, the tests that ran for it and whether they passed."""

    passed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    skipped: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def state(self, id_: str) -> str:
        """Return ``passed``, ``not passed``, ``not run`` or ``not tested``."""
        if self.failed[id_]:
            return "not passed"
        if self.passed[id_]:
            return "passed"
        return "not run" if self.skipped[id_] else "not tested"

    def tests(self, id_: str) -> list[str]:
        """Return the tests that show the state, without their parameters."""
        shown = self.failed[id_] or self.passed[id_] or self.skipped[id_]
        return sorted(shown)


def reason_for(id_: str) -> str | None:
    """Return why something is not served, if it is not."""
    from conformance_table import NOT_SERVED

    return next((why for pattern, why in NOT_SERVED.items() if fnmatchcase(id_, pattern)), None)


# -- the marks --------------------------------------------------------------------------------------------


def _filled(pattern: str, parameters: dict[str, Any]) -> str:
    names = {name for _, name, _, _ in Formatter().parse(pattern) if name}
    return pattern.format(**{name: parameters[name] for name in names}) if names else pattern


def _shown_by(item: pytest.Item) -> list[str]:
    from conformance_table import ids

    callspec = getattr(item, "callspec", None)
    parameters = {} if callspec is None else callspec.params
    found = []
    for mark in item.iter_markers(MARK):
        for pattern in mark.args:
            filled = _filled(pattern, parameters)
            fitting = [id_ for id_ in ids() if fnmatchcase(id_, filled)]
            if not fitting:
                raise pytest.UsageError(f"{item.nodeid}: no event or rule is named {filled!r}")
            found += fitting
    return found


def marks_in(tests: Path) -> dict[str, set[str]]:
    """Return the patterns of every marked test in the sources below a folder; ``{…}`` becomes ``*``."""
    found: dict[str, set[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            patterns = {
                "".join(said + ("" if name is None else "*") for said, name, _, _ in Formatter().parse(text))
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{MARK}"
                for text in (ast.literal_eval(argument) for argument in decorator.args)
            }
            if patterns:
                found[f"{path.relative_to(tests.parent).as_posix()}::{node.name}"] = patterns
    return found


# -- the page ---------------------------------------------------------------------------------------------


def _row(id_: str, what: str, findings: Findings) -> str:
    why = reason_for(id_)
    if why is not None:
        return f"| {what} | not served: {why} | |"
    tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in findings.tests(id_))
    return f"| {what} | {findings.state(id_)} | {tests} |"


def _head(first: str) -> list[str]:
    return ["", f"| {first} | state | shown by |", "|---|---|---|"]


def page(findings: Findings) -> str:
    """Return the page: the same for the same outcomes."""
    from conformance_table import CLIENT_EVENTS, RULES, SERVER_EVENTS, ids

    states = ["not served" if reason_for(id_) is not None else findings.state(id_) for id_ in ids()]
    order = ("passed", "not passed", "not run", "not tested", "not served")
    counts = ", ".join(f"{states.count(state)} {state}" for state in order if state in states)
    lines = [
        "# Conformance to the Realtime API",
        "",
        "What the local server keeps of the API, and the tests that show it: made by `make conformance`.",
        "Events are those that openai-python knows; rules are in `tests/support/conformance_table.py`.",
        "",
        f"Of {len(states)}: {counts}.",
    ]
    dialects = {"ga": "GA", "preview": "preview"}
    for side, table in (("client", CLIENT_EVENTS), ("server", SERVER_EVENTS)):
        for dialect, kinds in table.items():
            lines += ["", f"## Events of the {side}, {dialects[dialect]}", *_head("event")]
            lines += [_row(f"{side}/{dialect}/{kind}", f"`{kind}`", findings) for kind in kinds]
    for chapter, rules in RULES.items():
        lines += ["", f"## Rules: {chapter}", *_head("rule")]
        lines += [
            _row(f"rule/{chapter}.{name}", f"**{name}** {text}", findings) for name, text in rules.items()
        ]
    return "\n".join(lines) + "\n"


# -- the plugin -------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", metavar="FILE", help="write what the marked tests show into this page")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(*ids): what of the API the test shows")
    file = config.getoption("--conformance")
    if file:
        config.pluginmanager.register(_Collector(Path(file)), "conformance-collector")


class _Collector:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._findings = Findings()
        self._shown: dict[str, list[str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            self._shown[item.nodeid] = _shown_by(item)
            for id_ in self._shown[item.nodeid]:
                if reason_for(id_) is not None:
                    raise pytest.UsageError(f"{item.nodeid} shows {id_}, which is said to be not served")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed and report.when != "call":
            return
        outcome = {"passed": self._findings.passed, "failed": self._findings.failed}.get(
            report.outcome, self._findings.skipped
        )
        for id_ in self._shown.get(report.nodeid, []):
            outcome[id_].add(report.nodeid.partition("[")[0])

    def pytest_sessionfinish(self) -> None:
        self._file.write_text(page(self._findings), encoding="utf-8")
