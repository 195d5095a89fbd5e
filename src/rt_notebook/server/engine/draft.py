"""An answer that is begun while the silence that ends a turn is still running.

Most of a silence window is waiting. As soon as a silence begins, what was said so far is written down, and
the answer to it is written and spoken, behind the scenes. When the turn ends, what is there goes out at once;
when the user goes on, it is thrown away. A draft is used only if it is exactly the work that would be asked
for at that moment: settings, conversation and words all count.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from rt_notebook.server.engine.effects import CancelReply, CancelTranscribe, Transcribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from rt_notebook.server.engine.effects import MakeReply
    from rt_notebook.server.engine.state import SessionState

__all__ = ["Draft"]


class Draft:
    """The words of a turn that is about to end, and the answer to them.

    Attributes
    ----------
    speech_end_ms
        Where the silence began during which it was made.
    words_job_id, job_id
        The work of the transcriber and of the reply component.
    written
        Whether the words are there, as `text`, or None beside a `problem`.
    """

    def __init__(self, state: SessionState, speech_end_ms: int, pcm: bytes, rate_hz: int) -> None:
        self._state = state
        self.speech_end_ms = speech_end_ms
        self.words_job_id = state.new_id("job")
        self.job_id = state.new_id("job")
        self.written = False
        self.text: str | None = None
        self.problem: str | None = None
        self._work: MakeReply | None = None
        self._results: list[Callable[[], None]] = []
        state.ask(Transcribe(self.words_job_id, pcm, rate_hz))

    def take_words(self, text: str | None, problem: str | None) -> None:
        """Take what was said."""
        self.written, self.text, self.problem = True, text, problem

    def begin_reply(self, work: MakeReply) -> None:
        """Begin the answer."""
        self._work = work
        self._state.ask(dataclasses.replace(work, response_id=self.job_id))

    def keep(self, result: Callable[[], None]) -> None:
        """Keep what to do with a result of the answer, until somebody wants it."""
        self._results.append(result)

    def answers(self, work: MakeReply) -> bool:
        """Whether the answer that was begun is the one that `work` asks for; the sound may differ."""
        if self._work is None:
            return False
        return dataclasses.replace(self._work, heard=b"") == dataclasses.replace(work, heard=b"")

    def release(self) -> None:
        """Hand out what was kept; from now on results go straight to their response."""
        self._work = None
        results, self._results = self._results, []
        for result in results:
            result()

    def drop(self) -> None:
        """Throw away what nobody has asked for."""
        if not self.written:
            self._state.ask(CancelTranscribe(self.words_job_id))
        if self._work is not None:
            self._state.ask(CancelReply(self.job_id))
            self._work = None
