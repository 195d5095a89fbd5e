from __future__ import annotations

import argparse
import json
from importlib import resources

import pytest

from rt_notebook.commands import lab
from rt_notebook.errors import ComponentMissingError, RtNotebookError


def installed_package(folder):
    """A package as pip installs it: no checkout around it, the notebooks inside."""
    package = folder / "site-packages" / "rt_notebook"
    (package / "notebooks").mkdir(parents=True)
    (package / "notebooks" / lab.FIRST).write_text("first", encoding="utf-8")
    (package / "notebooks" / "02_more.ipynb").write_text("more", encoding="utf-8")
    return package


def checkout(folder):
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / lab.FIRST).write_text("first", encoding="utf-8")
    package = folder / "src" / "rt_notebook"
    package.mkdir(parents=True)
    return package


def test_a_checkout_is_worked_in_directly(tmp_path) -> None:
    assert lab.notebooks_folder(None, checkout(tmp_path)) == tmp_path / "notebooks"


def test_a_named_folder_gets_a_copy_of_the_checkout(tmp_path) -> None:
    folder = lab.notebooks_folder(tmp_path / "mine", checkout(tmp_path))
    assert folder == tmp_path / "mine"
    assert (folder / lab.FIRST).read_text(encoding="utf-8") == "first"


def test_an_installed_package_gives_the_reader_a_copy_and_keeps_what_they_wrote(tmp_path) -> None:
    package = installed_package(tmp_path)
    folder = lab.notebooks_folder(tmp_path / "mine", package)
    assert sorted(path.name for path in folder.iterdir()) == [lab.FIRST, "02_more.ipynb"]

    (folder / lab.FIRST).write_text("changed by the reader", encoding="utf-8")
    (folder / "02_more.ipynb").unlink()
    lab.notebooks_folder(folder, package)
    assert (folder / lab.FIRST).read_text(encoding="utf-8") == "changed by the reader"
    assert (folder / "02_more.ipynb").read_text(encoding="utf-8") == "more"


def test_the_default_copy_is_in_the_home_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    folder = lab.notebooks_folder(None, installed_package(tmp_path))
    assert folder == (tmp_path / "home" / "rt-notebook").resolve()


def test_a_package_without_notebooks_says_so(tmp_path) -> None:
    with pytest.raises(RtNotebookError, match="pip install"):
        lab.notebooks_folder(tmp_path / "mine", tmp_path / "lib" / "rt_notebook")


def test_a_folder_that_cannot_be_made_says_so(tmp_path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RtNotebookError, match="--folder"):
        lab.notebooks_folder(tmp_path / "file" / "mine", installed_package(tmp_path))


def test_the_readers_arguments_come_last_and_win(tmp_path) -> None:
    arguments = lab.jupyter_arguments(tmp_path, ["--no-browser", "--port", "9999"])
    assert arguments[-3:] == ["--no-browser", "--port", "9999"]
    assert f"--LabApp.default_url=/lab/tree/{lab.FIRST}" in arguments


def test_without_jupyterlab_the_remedy_is_named(monkeypatch) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda _name: None)
    parser = argparse.ArgumentParser()
    lab.add_arguments(parser)
    with pytest.raises(ComponentMissingError, match=r"rt-notebook\[lab\]"):
        lab.run(parser.parse_args([]))


def test_jupyterlab_is_told_to_ask_for_no_attention() -> None:
    file = resources.files("rt_notebook.commands") / "jupyter/labconfig/default_setting_overrides.json"
    settings = json.loads(file.read_text(encoding="utf-8"))["@jupyterlab/apputils-extension:notification"]
    assert settings == {"checkForUpdates": False, "fetchNews": "false"}
