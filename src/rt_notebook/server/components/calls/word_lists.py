"""The everyday words that decide what somebody asks for. All of them are English."""

from __future__ import annotations

__all__ = [
    "DATES",
    "JOINS",
    "KIN",
    "LEADS",
    "ONES",
    "PREPOSITIONS",
    "STOP_WORDS",
    "TELLS",
    "TENS",
    "TEXTS",
    "TIMES",
    "WHOLES",
]


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


def _numbered(line: str, begin: int, step: int) -> dict[str, int]:
    return {word: begin + step * at for at, word in enumerate(line.split())}


STOP_WORDS = _words(
    "a an the this that these those some any all in on at to for from of by with into about as is are",
    "was be been am do does did can could will would should shall may might must me my mine i you your",
    "yours it its he she we us our they them their what what's whats how who where when which why there",
    "here and or but so then please just also now right hey hi hello okay ok yes no not tell give show",
    "want wants wanted like need needs find get got let let's i'd i'll i'm have has had put make take",
    "check look see go going say way much many long up out doing something anything someone",
)
"""Words that say nothing about what is wanted; no value begins or ends with one."""

TIMES = _words("today tomorrow tonight yesterday now soon later currently")
PREPOSITIONS = _words("in on at to for from of by with into about as until near via between")
TELLS = _words("that saying says")
"""What follows is told word by word: "a message saying happy birthday"."""
JOINS = _words("of the de la and &")
"""They may stand inside a name: "Lord of the Rings"."""

ONES = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen", 0, 1
)
ONES |= _numbered("fifteen sixteen seventeen eighteen nineteen", 15, 1)
TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)

LEADS = {
    "from": _words("origin from departure depart source start sender"),
    "to": _words("destination to arrival arrive target recipient goal receiver contact"),
    "for": _words("label purpose reason"),
    "by": _words("artist author singer composer"),
    "about": _words("topic subject"),
    "in": _words("city place location country room region town language currency"),
    "at": _words("restaurant place location venue shop time hotel"),
    "on": _words("date day"),
    "with": _words("attendee participant guest"),
    "of": _words("company product"),
}
"""The words in an argument's name or description that go with a preposition."""

TEXTS = _words(
    "text message body content note phrase query question reason item title task subject description prompt",
    "topic input words sentence",
)
"""Arguments that take more than a name."""
WHOLES = _words("query question reason prompt input description")
"""Arguments that may take all that was said."""
DATES = _words("date day time when")

KIN = (
    _words(
        "weather forecast temperature rain raining snow snowing sunny cloudy windy cold warm hot umbrella"
    ),
    _words("message text sms tell send email mail write"),
    _words("light lights lamp lamps"),
    _words("switch turn set"),
    _words("flight flights fly flying plane"),
    _words("train trains"),
    _words("music song songs play listen hear album artist track"),
    _words("convert conversion exchange"),
    _words("currency money dollars euros pounds yen"),
    _words("table restaurant book reserve reservation"),
    _words("stock stocks share shares price"),
    _words("translate translation say"),
    _words("battery charge power"),
    _words("order orders delivery package parcel shipment"),
    _words("time clock"),
    _words("timer countdown"),
    _words("alarm wake"),
    _words("remind reminder reminders remember"),
    _words("thermostat temperature degrees heating"),
    _words("agent human person representative operator support"),
    _words("list todo shopping groceries"),
    _words("add put append"),
    _words("search look find"),
    _words("calendar meeting appointment event schedule"),
    _words("call phone dial ring"),
    _words("news headlines"),
    _words("directions route navigate way"),
    _words("cancel delete remove"),
    _words("taxi cab ride"),
    _words("hotel room stay"),
)
"""Words that mean the same thing to do, or speak of the same thing."""
