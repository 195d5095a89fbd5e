"""Traces of the tests are kept in a folder of their own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "traces"
    monkeypatch.setenv("RT_NOTEBOOK_CACHE", str(folder))
    return folder
