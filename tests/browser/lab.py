"""A real JupyterLab in a real browser, with kernels of several ipykernel versions."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
KERNELS = ROOT / ".kernels"
"""Where other versions of ipykernel are kept, beside the environment and not in it."""

IN_PAGE = """
async ([what, value]) => {
  const panel = window.jupyterapp.shell.currentWidget;
  const kernel = panel.sessionContext.session.kernel;
  if (what === "value") {
    const future = kernel.requestExecute({ code: "", silent: true, user_expressions: { value } });
    const { content } = await future.done;
    const result = content.user_expressions.value;
    if (result.status !== "ok") throw new Error(result.evalue);
    return result.data["text/plain"];
  }
  if (what === "run") {
    panel.content.activeCellIndex = value;
    return await window.jupyterapp.commands.execute("notebook:run-cell");
  }
  if (what === "outputs") {
    return panel.content.widgets.flatMap((cell) => cell.model.outputs?.toJSON() ?? []);
  }
  if (what === "restart") return await kernel.restart();
  if (what === "running") return panel.content.widgets[value].model.executionState === "running";
  if (what === "shutdown") return await panel.sessionContext.shutdown();
  throw new Error(what);
}
"""


_OF_IPYKERNEL = r"(?:Kernel\.shell_main|_async_in_context\.<locals>\.run_in_context)"
ENDED_SUBSHELL = re.compile(
    rf"Task was destroyed but it is pending!\ntask: <Task pending [^\n]*coro=<{_OF_IPYKERNEL}\(\)[^\n]*>\n"
    rf"|[^\n]*RuntimeWarning: coroutine '{_OF_IPYKERNEL}' was never awaited\n(?:  [^\n]*\n)?"
    r"|RuntimeWarning: Enable tracemalloc to get the object allocation traceback\n"
)
"""What ipykernel 7 says when JupyterLab ends a subshell that a message has just reached: the subshell's event
loop stops with its own task pending, and the collector complains in whichever cell runs then. A kernel that
never imported rt_notebook does the same."""


def complaints(outputs: list[dict]) -> list[dict]:
    """The outputs that no cell should have: errors, and what anything but ipykernel wrote to stderr."""
    return [
        o
        for o in outputs
        if o["output_type"] == "error"
        or (o.get("name") == "stderr" and ENDED_SUBSHELL.sub("", "".join(o["text"])))
    ]


ANSWER_S = 120
IN_TIME = f"""
(asked) => Promise.race([
  ({IN_PAGE.strip()})(asked),
  new Promise((_, stalled) => setTimeout(() => stalled(new Error("no answer")), {ANSWER_S * 1000})),
])
"""


def install_kernel(version: str) -> str:
    """Make an ipykernel of `version` available to JupyterLab; return its kernel's name."""
    overlay = KERNELS / version
    if not overlay.is_dir():
        KERNELS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KERNELS) as made:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", made]
            subprocess.run([*pip, f"ipykernel=={version}"], check=True)
            Path(made).rename(overlay)
    name = "ipykernel-" + version.replace(".", "-")
    spec = KERNELS / "share" / "jupyter" / "kernels" / name / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    path = os.pathsep.join(filter(None, [str(overlay), os.environ.get("PYTHONPATH")]))
    text = {"argv": argv, "display_name": name, "language": "python", "env": {"PYTHONPATH": path}}
    spec.write_text(json.dumps(text))
    return name


class LabServer:
    """JupyterLab on a free port, with settings and data of its own."""

    def __init__(self, directory: Path) -> None:
        self.notebooks = directory / "notebooks"
        self.notebooks.mkdir(parents=True)
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        env = os.environ | {
            "JUPYTER_PATH": os.pathsep.join(
                filter(None, [str(KERNELS / "share" / "jupyter"), os.environ.get("JUPYTER_PATH")])
            ),
            "JUPYTER_CONFIG_DIR": str(directory / "config"),
            "JUPYTER_DATA_DIR": str(directory / "data"),
            "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(directory / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces"),
        }
        self._set(
            directory, "@jupyterlab/apputils-extension/notification", fetchNews="false", checkForUpdates=False
        )
        # What other notebooks do of themselves: the state of widgets is saved with the notebook.
        self._set(directory, "@jupyter-widgets/jupyterlab-manager/plugin", saveState=True)
        argv = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={self.port}"]
        argv += [f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.notebooks}"]
        argv += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
        argv += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        self.log = (directory / "lab.log").open("wb")
        self.process = subprocess.Popen(argv, env=env, stdout=self.log, stderr=subprocess.STDOUT)
        self._wait(directory / "lab.log")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()

    def _set(self, directory: Path, plugin: str, **values: object) -> None:
        path = directory / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def _wait(self, log: Path) -> None:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=2)
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("JupyterLab does not start:\n" + log.read_text()[-2000:])

    def write(self, name: str, kernel: str, cells: list[str]) -> None:
        """Put a notebook there."""
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        sources = [
            {
                "cell_type": "code",
                "id": f"c{i}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": s,
            }
            for i, s in enumerate(cells)
        ]
        text = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": spec}, "cells": sources}
        (self.notebooks / name).write_text(json.dumps(text))


class Notebook:
    """An open notebook: run its cells, ask its kernel, look at its outputs."""

    def __init__(self, page, lab: LabServer, name: str) -> None:
        self.page = page
        self.address = f"{lab.url}/lab/workspaces/w{secrets.token_hex(4)}/tree/{name}?token={lab.token}&reset"
        self.open()

    def open(self) -> None:
        """Open the page, or open it again: the kernel lives on."""
        self.page.goto(self.address)
        self.page.wait_for_function(
            "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=90_000,
        )

    def run(self, index: int) -> None:
        """Run a cell and wait for its end; any error in an output fails the test."""
        self._ask("run", index)
        self.check()

    def begin(self, index: int) -> None:
        """Run a cell without waiting."""
        self.page.evaluate(f"(a) => {{ ({IN_PAGE})(a); }}", ["run", index])

    def value(self, expression: str) -> object:
        """What an expression is worth in the kernel."""
        import ast

        return ast.literal_eval(self._ask("value", expression))

    def outputs(self) -> list[dict]:
        return self._ask("outputs", None)

    def save(self) -> None:
        self.page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    def restart(self) -> None:
        self._ask("restart", None)

    def running(self, index: int) -> bool:
        """Whether a cell has not ended yet."""
        return self._ask("running", index)

    def shutdown(self) -> None:
        """End the kernel; whoever opens the notebook again gets another."""
        self._ask("shutdown", None)

    def _ask(self, what: str, value: object) -> Any:
        from playwright.sync_api import Error

        try:
            return self.page.evaluate(IN_TIME, [what, value])
        except Error as error:
            if "no answer" not in str(error):
                raise
            raise TimeoutError(f"the kernel did not answer {what} within {ANSWER_S} s") from None

    def check(self) -> None:
        errors = complaints(self.outputs())
        assert errors == [], errors
