"""``import rt_notebook`` is light, and its flat names are all there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import rt_notebook

OPTIONAL = {
    "IPython",
    "azure",
    "hibari",
    "jupyterlab",
    "matplotlib",
    "moonshine_voice",
    "onnxruntime",
    "pandas",
    "xllamacpp",
}
HEAVY = OPTIONAL | {
    "aiohttp",
    "anywidget",
    "ipywidgets",
    "msgspec",
    "numpy",
    "soundfile",
    "soxr",
    "websockets",
}


def modules_after(code: str) -> set[str]:
    report = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert modules_after("import rt_notebook").isdisjoint(HEAVY)


def test_making_a_session_loads_no_plots_tables_or_speech_components() -> None:
    loaded = modules_after("import rt_notebook; rt_notebook.Session()")
    assert "rt_notebook" in loaded
    assert loaded.isdisjoint(OPTIONAL)


@pytest.mark.parametrize("name", rt_notebook.__all__)
def test_a_public_name_resolves(name: str) -> None:
    assert getattr(rt_notebook, name) is not None


def test_dir_lists_the_public_names_before_they_are_loaded() -> None:
    code = "import rt_notebook; assert set(rt_notebook.__all__) <= set(dir(rt_notebook))"
    assert modules_after(code).isdisjoint(HEAVY)


def test_every_error_is_public() -> None:
    errors = {
        name
        for name, value in vars(rt_notebook.errors).items()
        if isinstance(value, type) and issubclass(value, rt_notebook.RtNotebookError)
    }
    assert errors <= set(rt_notebook.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Sesion"):
        _ = rt_notebook.Sesion
