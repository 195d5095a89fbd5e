"""The page of conformance fits the table of rules and the marks at the tests; its maker can be trusted."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from conformance import Findings, marks_in, page, reason_for
from conformance_table import CLIENT_EVENTS, NOT_SERVED, RULES, SERVER_EVENTS, ids

ROW = re.compile(r"^\| (?P<what>.+) \| (?P<state>[^|]+) \| ?(?P<tests>[^|]*) ?\|$", re.MULTILINE)


@pytest.fixture
def committed(repository):
    return (repository / "docs" / "conformance.md").read_text(encoding="utf-8")


@pytest.fixture
def marks(repository):
    return marks_in(repository / "tests")


def rows(text):
    """The rows of a page as (what, state, tests), without the heads of its tables."""
    found = [(row["what"], row["state"].strip(), row["tests"].strip()) for row in ROW.finditer(text)]
    return [row for row in found if row[0] not in {"event", "rule"} and not row[0].startswith("---")]


def test_the_page_lists_exactly_what_there_is(committed):
    expected = rows(page(Findings()))
    assert [what for what, _, _ in rows(committed)] == [what for what, _, _ in expected]
    assert len(expected) == len(ids()), "run make conformance"


def test_the_page_names_the_tests_that_are_marked(committed, marks):
    for id_, (what, state, tests) in zip(ids(), rows(committed), strict=True):
        named = {f"tests/{test}" for test in re.findall(r"`([^`]+)`", tests)}
        # A pattern that was filled in from parameters may fit here or not; one without a star does.
        possible = {test for test, patterns in marks.items() if any(fnmatchcase(id_, p) for p in patterns)}
        certain = {test for test, patterns in marks.items() if id_ in patterns}
        assert named <= possible, f"{what}: run make conformance"
        assert certain <= named or state == "not passed", f"{what}: run make conformance"
        assert bool(named) == (state in {"passed", "not passed", "not run"}), what


def test_nothing_on_the_page_is_not_passed(committed):
    assert [what for what, state, _ in rows(committed) if state == "not passed"] == []


def test_every_mark_fits_something_that_is_served(marks):
    assert marks, "no test is marked"
    for test, patterns in marks.items():
        for pattern in patterns:
            fitting = [id_ for id_ in ids() if fnmatchcase(id_, pattern)]
            assert fitting, f"{test}: nothing is named {pattern}"
            assert any(reason_for(id_) is None for id_ in fitting), f"{test}: {pattern} is not served"


def test_every_reason_is_for_something():
    for pattern in NOT_SERVED:
        assert [id_ for id_ in ids() if fnmatchcase(id_, pattern)], pattern


def test_ids_are_unique_and_the_events_are_those_of_the_api():
    assert len(set(ids())) == len(ids())
    assert {dialect: len(kinds) for dialect, kinds in CLIENT_EVENTS.items()} == {"ga": 11, "preview": 12}
    assert {dialect: len(kinds) for dialect, kinds in SERVER_EVENTS.items()} == {"ga": 46, "preview": 34}
    for chapter, rules in RULES.items():
        assert all(text.endswith(".") and "|" not in text for text in rules.values()), chapter


def test_a_page_says_what_was_found():
    findings = Findings()
    findings.passed["rule/input.commit"].add("tests/contract/test_a.py::test_one")
    findings.passed["rule/input.clear"].add("tests/contract/test_a.py::test_one")
    findings.failed["rule/input.clear"].add("tests/contract/test_a.py::test_two")
    findings.skipped["rule/input.clock"].add("tests/contract/test_a.py::test_three")
    shown = {
        what.split("**")[1]: (state, tests) for what, state, tests in rows(page(findings)) if "**" in what
    }
    assert shown["commit"] == ("passed", "`contract/test_a.py::test_one`")
    assert shown["clear"] == ("not passed", "`contract/test_a.py::test_two`")
    assert shown["clock"][0] == "not run"
    assert shown["commit-empty"] == ("not tested", "")
    assert shown["image"][0].startswith("not served: ")
    assert page(findings) == page(findings)
