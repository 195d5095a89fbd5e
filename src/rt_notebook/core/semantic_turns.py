"""Turns that end when the speaker seems to have said all: the rule of a ``semantic_vad``, pure.

Speech is found as by a ``server_vad``. After a short silence the turn's audio is given to a judge; how likely
it holds the turn to be over decides how long the silence has to last. What the endpoints do is documented
only so far: a timeout set by that probability, and its limits by eagerness. The numbers between are ours.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rt_notebook.core.config import ServerVad
from rt_notebook.core.turn_detection import Transition, TurnDetector

if TYPE_CHECKING:
    from rt_notebook.core.config import SemanticVad

__all__ = ["ASK_AFTER_MS", "Question", "SemanticTurns", "asks_for_more"]

ASK_AFTER_MS = 224
"""Silence after which the judge is asked: seven frames, a usual pause between phrases."""


@dataclass(frozen=True, slots=True)
class _Eagerness:
    max_wait_ms: int
    enough: float
    wait_unjudged_ms: int


# The maximum waits are the documented ones.
_EAGERNESS = {
    "low": _Eagerness(8000, 0.85, 1500),
    "medium": _Eagerness(4000, 0.5, 800),
    "high": _Eagerness(2000, 0.3, 400),
}
_EAGERNESS["auto"] = _EAGERNESS["medium"]

# Whatever the voice does, after these words something follows; after the second kind not in a question
# ("Where are you from?").
_OPEN_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "your",
        "our",
        "their",
        "and",
        "or",
        "but",
        "so",
        "because",
        "if",
        "while",
        "than",
        "i'm",
        "um",
        "uh",
        "er",
        "hmm",
    ]
)
_OPEN_UNLESS_ASKED = frozenset(
    [
        "as",
        "of",
        "to",
        "from",
        "with",
        "at",
        "by",
        "for",
        "into",
        "about",
        "is",
        "are",
        "was",
        "were",
        "am",
        "when",
        "that",
    ]
)
_OPEN_PROBABILITY = 0.1


@dataclass(frozen=True, slots=True)
class Question:
    """Is the turn over, by its audio in this range? It is answered with `SemanticTurns.judged`."""

    audio_start_ms: int
    audio_end_ms: int


class SemanticTurns:
    """Feed one probability a frame, get the transitions, and what to ask the judge.

    While the judge is asked, frames wait. So the decisions depend neither on how fast the judge is nor on
    how the audio is cut into chunks.

    Parameters
    ----------
    vad
        The settings. They may change between frames; they act from the next frame on.
    judging
        Whether there is a judge. Without one a turn ends after 1.5 s, 0.8 s or 0.4 s of silence for low,
        medium and high eagerness.
    detector
        The detector to go on with, its clock and its open turn; None begins anew.
    """

    def __init__(
        self, vad: SemanticVad, *, judging: bool = True, detector: TurnDetector | None = None
    ) -> None:
        self.vad = vad
        self.detector = detector or TurnDetector(ServerVad())
        self._judging = judging
        self._asked: Question | None = None
        self._over: float | None = None
        self._waiting: deque[float] = deque()

    @property
    def speaking(self) -> bool:
        """Whether a turn is open."""
        return self.detector.speaking

    @property
    def position_ms(self) -> int:
        """Audio that has been decided upon; frames that wait for the judge are not."""
        return self.detector.position_ms

    @property
    def silence_ms(self) -> int:
        """How long the silence lasts that may end the turn; 0 where there is none."""
        return self.detector.silence_ms

    @property
    def wait_ms(self) -> int:
        """The silence that ends the turn, as far as it has been judged."""
        eagerness = _EAGERNESS[self.vad.eagerness]
        if not self._judging:
            return eagerness.wait_unjudged_ms
        missing = 1.0 if self._over is None else max(0.0, 1.0 - self._over / eagerness.enough)
        return round(eagerness.max_wait_ms * missing)

    def push(self, probability: float) -> Transition | Question | None:
        """Take the probability of the next frame."""
        if self._asked is not None:
            self._waiting.append(probability)
            return None
        self.detector.vad = ServerVad(silence_duration_ms=self.wait_ms)
        transition = self.detector.push(probability)
        if transition is not None:
            self._over = None
            return transition
        if self.detector.silence_ms == 0:
            self._over = None
        elif self._judging and self._over is None and self.detector.silence_ms >= ASK_AFTER_MS:
            start_ms = self.detector.turn_start_ms
            self._asked = None if start_ms is None else Question(start_ms, self.detector.position_ms)
        return self._asked

    def judged(
        self, question: Question, probability: float | None, words: str = ""
    ) -> list[Transition | Question]:
        """Take the judge's answer, then the frames that have waited for it.

        Parameters
        ----------
        question
            What was asked; an answer that came too late is ignored.
        probability
            How likely the turn is over, 0 to 1; None where the judge has failed: then the turn waits as long
            as without a judge.
        words
            What was said so far, where it is known. Words after which more has to follow outweigh the voice.
        """
        if question is not self._asked:
            return []
        self._asked = None
        eagerness = _EAGERNESS[self.vad.eagerness]
        if probability is None:
            probability = eagerness.enough * (1.0 - eagerness.wait_unjudged_ms / eagerness.max_wait_ms)
        self._over = min(probability, _OPEN_PROBABILITY) if asks_for_more(words) else probability
        found: list[Transition | Question] = []
        if self.wait_ms <= self.detector.silence_ms:
            self._over = None
            found.append(self.detector.end())
        while self._waiting and self._asked is None:
            outcome = self.push(self._waiting.popleft())
            if outcome is not None:
                found.append(outcome)
        return found

    def give_up(self) -> list[Transition | Question]:
        """Go on without a judge from now; return what the frames that have waited bring."""
        self._judging = False
        return [] if self._asked is None else self.judged(self._asked, None)

    def skip(self) -> None:
        """Pass over a frame that nobody judges, so that the clock goes on while detection is off."""
        self._forget_question()
        self.detector.skip()

    def stop(self, at_ms: int) -> None:
        """End an open turn from outside, as a commit by the client does."""
        self._forget_question()
        self.detector.stop(at_ms)

    def _forget_question(self) -> None:
        for _ in self._waiting:
            self.detector.skip()
        self._waiting.clear()
        self._asked = None
        self._over = None


def asks_for_more(words: str) -> bool:
    """Whether these (English) words break off where something has to follow: "a flight to"."""
    found = re.findall(r"[a-z']+", words.lower())
    last = found[-1] if found else ""
    return last in _OPEN_WORDS or (last in _OPEN_UNLESS_ASKED and not words.rstrip().endswith("?"))
