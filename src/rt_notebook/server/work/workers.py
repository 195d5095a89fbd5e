"""The threads that the speech components run in, shared by all sessions, a pool for each kind of work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from rt_notebook.server.work.detect_line import DetectLine

__all__ = ["Workers"]


class Workers:
    """Pools, so that no kind of work waits behind another.

    A pool serves first come, first served; since a session hands in only one or two jobs of a kind at a
    time (`ComponentWork` keeps the rest), that is taking turns among the sessions.
    """

    def __init__(self) -> None:
        # Turns are found here, all the time and within milliseconds; one batch at a time.
        self.detect = ThreadPoolExecutor(1, "rt_notebook detect")
        self.detect_line = DetectLine(self.detect)
        # A judgement of a turn's end takes as long as many frames.
        self.judge = ThreadPoolExecutor(1, "rt_notebook judge")
        # The recogniser works on one piece of speech at a time.
        self.transcribe = ThreadPoolExecutor(1, "rt_notebook transcribe")
        # Most of these threads wait: for a chat endpoint, or for a free slot of the language model.
        self.reply = ThreadPoolExecutor(16, "rt_notebook reply")
        # Reading ahead is worth something only while nobody waits for an answer.
        self.prepare = ThreadPoolExecutor(1, "rt_notebook prepare")

    def stop(self) -> None:
        """Run nothing more that has not begun."""
        for pool in (self.detect, self.judge, self.transcribe, self.reply, self.prepare):
            pool.shutdown(wait=False, cancel_futures=True)
