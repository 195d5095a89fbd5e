"""What a user has said, as words: their stems, the numbers among them, and the phrases that may be values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from rt_notebook.server.components.calls.word_lists import (
    JOINS,
    ONES,
    PREPOSITIONS,
    STOP_WORDS,
    TELLS,
    TENS,
    TIMES,
)

__all__ = ["Phrase", "Utterance", "Word", "stem", "stems"]

_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_WORD = re.compile(r"[\w$€£+-][\w'\u2019.,:@/&+-]*[\w%]|[\w&$€£%]")


def stem(word: str) -> str:
    """Return a word without its common endings, so that "lights" and "light" meet."""
    word = re.sub(r"['\u2019](s|ll|d|re|m|ve)?$", "", word.lower())
    for ending, least in (("ies", 3), ("ing", 4), ("ed", 4), ("es", 5), ("s", 3), ("er", 5), ("e", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    # "running" and "run".
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls" else word


def stems(text: str) -> set[str]:
    """Return the stems of the telling words in a text; names may be in snake_case or camelCase."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", text.replace("'", ""))
    return {stem(part) for part in parts if part.lower() not in STOP_WORDS}


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place in the text and what stands directly before it."""

    text: str
    begin: int
    end: int
    after_mark: bool

    @property
    def low(self) -> str:
        """The word in lower case."""
        return self.text.lower()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words `first` to `last` (inclusive), and the preposition that leads to them."""

    first: int
    last: int
    text: str
    preposition: str = ""

    def overlaps(self, other: Phrase) -> bool:
        """Whether they share a word."""
        return self.first <= other.last and other.first <= self.last


class Utterance:
    """A text, read for what may be the values of arguments."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.words: list[Word] = []
        end = 0
        for match in _WORD.finditer(self.text):
            mark = re.search(r"[,;:.!?\"\u201c\u201d]", self.text[end : match.start()]) is not None
            self.words.append(Word(match.group(), match.start(), match.end(), mark or not self.words))
            end = match.end()

    @cached_property
    def stems(self) -> set[str]:
        """The stems of all telling words."""
        return {stem(word.text) for word in self.words if word.low not in STOP_WORDS}

    @cached_property
    def all_stems(self) -> set[str]:
        """The stems of all words."""
        return {stem(word.text) for word in self.words}

    def phrase(self, first: int, last: int, preposition: str = "") -> Phrase:
        """Take words out of the text, as they are written there."""
        text = self.text[self.words[first].begin : self.words[last].end]
        return Phrase(first, last, text, preposition)

    def find(self, value: str) -> Phrase | None:
        """Look for a value that is said word by word, upper and lower case being the same."""
        wanted = [stem(part) for part in re.findall(r"\w+", value)]
        said = [stem(word.text) for word in self.words]
        for at in range(len(said) - len(wanted) + 1):
            if wanted and said[at : at + len(wanted)] == wanted:
                return self.phrase(at, at + len(wanted) - 1)
        return None

    @cached_property
    def numbers(self) -> list[tuple[float, Phrase]]:
        """The numbers, in digits or in words up to the millions."""
        found: list[tuple[float, Phrase]] = []
        at = 0
        while at < len(self.words):
            value, used = _number(self.words[at:])
            if used:
                found.append((value, self.phrase(at, at + used - 1)))
            at += max(used, 1)
        return found

    def named(self, at: int) -> bool:
        """Whether this word is a name: a capital letter that does not just begin a sentence, or a digit."""
        word = self.words[at]
        if word.low == "i" or word.low.startswith(("i'", "i\u2019")):
            return False
        inside = any(letter.isupper() for letter in word.text[1:]) or any(map(str.isdigit, word.text))
        return inside or (word.text[0].isupper() and not (word.after_mark and at == 0))

    def phrases(self, topic: set[str], taken: set[int], *, keep_times: bool = False) -> list[Phrase]:
        """Cut the text into phrases: at prepositions, marks and taken words; names also stand alone.

        Parameters
        ----------
        topic
            Stems of what it is all about ("weather", "timer"): no phrase begins or ends with them.
        taken
            Places of words that are values already.
        keep_times
            Whether "tomorrow" may be a value.
        """
        found: list[Phrase] = []
        begin, preposition = 0, ""
        for at in range(len(self.words) + 1):
            over = at == len(self.words) or at in taken
            low = "" if over else self.words[at].low
            split = over or low in PREPOSITIONS or low in TELLS
            if not over and split and self._joins(at):
                continue
            marked = not over and self.words[at].after_mark and at > begin
            if split or marked:
                found += self._trimmed(begin, at - 1, preposition, topic, keep_times=keep_times)
                preposition = low if low in PREPOSITIONS else ""
                begin = at if marked and not split else at + 1
        return list(dict.fromkeys(found))

    def _joins(self, at: int) -> bool:
        # "Lord of the Rings", not "the weather in London".
        following = at + 1
        while following < len(self.words) and self.words[following].low in JOINS:
            following += 1
        return (
            self.words[at].low in JOINS
            and at > 0
            and following < len(self.words)
            and self.named(at - 1)
            and self.named(following)
        )

    def _trimmed(
        self, first: int, last: int, preposition: str, topic: set[str], *, keep_times: bool
    ) -> list[Phrase]:
        def empty(at: int) -> bool:
            word = self.words[at]
            name = self.named(at) and not word.after_mark
            time = word.low in TIMES and not keep_times
            return word.low in STOP_WORDS or (not name and (time or stem(word.text) in topic))

        while first <= last and empty(first):
            first += 1
        while first <= last and empty(last):
            last -= 1
        if first > last:
            return []
        found = [self.phrase(first, last, preposition)]
        # "Tell Maria happy birthday": a name in the midst of other words.
        at = first
        while at <= last:
            run = at
            while run <= last and self.named(run):
                run += 1
            if run > at and (at, run - 1) != (first, last):
                found.append(self.phrase(at, run - 1, preposition if at == first else ""))
            at = max(run, at + 1)
        return found

    def told(self, topic: set[str], taken: set[int]) -> Phrase | None:
        """Return what is to be told word by word: behind "that" or a colon, else the longest rest."""
        for at, word in enumerate(self.words):
            colon = word.after_mark and at and self.text[: word.begin].rstrip(" \"\u201c'").endswith(":")
            follows = at and self.words[at - 1].low in TELLS
            if at not in taken and (colon or follows):
                return self.phrase(at, len(self.words) - 1)
        rests: list[Phrase] = []
        begin = 0
        for at in range(len(self.words) + 1):
            if at == len(self.words) or at in taken:
                rests += [found for found in [self._rest(begin, at - 1, topic)] if found is not None]
                begin = at + 1
        return max(rests, key=lambda rest: rest.last - rest.first, default=None)

    def _rest(self, first: int, last: int, topic: set[str]) -> Phrase | None:
        def idle(at: int) -> bool:
            parts = self.words[at].low.split("-")
            return all(part in STOP_WORDS or stem(part) in topic for part in parts)

        # A command begins with what it is about ("please add ..."); pronouns behind that belong to the text.
        lead = first
        while (
            lead <= last and idle(lead) and (lead == first or self.words[lead].low not in {"i", "we", "he"})
        ):
            lead += 1
        # "... to my shopping list": a last part that is only about the topic.
        for at in range(last, lead, -1):
            if self.words[at].low in PREPOSITIONS and all(idle(place) for place in range(at, last + 1)):
                last = at - 1
        while last >= lead and self.words[last].low in PREPOSITIONS | {"please", "and"}:
            last -= 1
        return self.phrase(lead, last) if lead <= last else None


def _number(words: list[Word]) -> tuple[float, int]:
    if match := _NUMBER.fullmatch(words[0].text.strip("$€£%")):
        value = float(match.group().replace(",", ""))
        scale = _SCALES.get(words[1].low) if len(words) > 1 else None
        return (value * scale, 2) if scale else (value, 1)
    total = part = used = 0
    for at, word in enumerate(words):
        pieces = word.low.split("-")
        if used and word.low == "and" and words[at - 1].low in _SCALES:
            continue
        if not all(piece in ONES or piece in TENS or (piece in _SCALES and used) for piece in pieces):
            break
        if used and pieces[0] in ONES and words[at - 1].low.split("-")[-1] in ONES:
            break  # "one two three" are three numbers
        for piece in pieces:
            if piece in _SCALES:
                total, part = (total + part * _SCALES[piece], 0) if part else (total * _SCALES[piece], 0)
            else:
                part += ONES.get(piece, 0) + TENS.get(piece, 0)
        used = at + 1
    return (float(total + part), used)
