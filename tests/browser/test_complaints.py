"""What the tests in JupyterLab take as a fault of a cell, and what as ipykernel's own."""

from __future__ import annotations

from lab import complaints

# As ipykernel 7.3.0 wrote it, in a kernel without rt_notebook, when a subshell ended amid its messages.
OF_A_SUBSHELL = """\
Task was destroyed but it is pending!
task: <Task pending name='Task-277' coro=<_async_in_context.<locals>.run_in_context() done, defined at \
ipykernel/utils.py:57> wait_for=<Task pending name='Task-278' coro=<Kernel.shell_main() running at \
ipykernel/kernelbase.py:597> cb=[Task.task_wakeup()]> cb=[ZMQStream._run_callback.<locals>._log_error() at \
zmq/eventloop/zmqstream.py:583]>
re/_parser.py:552: RuntimeWarning: coroutine 'Kernel.shell_main' was never awaited
  subpatternappend((LITERAL, _ord(this)))
RuntimeWarning: Enable tracemalloc to get the object allocation traceback
Task was destroyed but it is pending!
task: <Task pending name='Task-278' coro=<Kernel.shell_main() running at ipykernel/kernelbase.py:597> \
cb=[Task.task_wakeup()]>
"""
OURS = """\
Task was destroyed but it is pending!
task: <Task pending name='Task-9' coro=<Session.connect() running at rt_notebook/io/session/session.py:1>>
"""


def stderr(text: str) -> dict:
    return {"output_type": "stream", "name": "stderr", "text": text}


def test_a_subshell_that_ended_is_no_fault_of_the_cell():
    assert complaints([stderr(OF_A_SUBSHELL)]) == []


def test_what_stands_beside_it_is():
    for text in (OURS, OF_A_SUBSHELL + OURS, OURS + OF_A_SUBSHELL, "UserWarning: no\n" + OF_A_SUBSHELL):
        assert complaints([stderr(text)]) == [stderr(text)]


def test_errors_and_warnings_are():
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}
    printed = {"output_type": "stream", "name": "stdout", "text": "fine"}
    warning = stderr("DeprecationWarning\n")
    assert complaints([printed, error, warning]) == [error, warning]
