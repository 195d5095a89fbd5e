"""What a bundle says about itself, and how large its parts may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from rt_notebook.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rt_notebook.core.events import Event

__all__ = [
    "EVENTS",
    "MANIFEST",
    "MAX_EVENTS_BYTES",
    "MAX_LINE_BYTES",
    "MAX_MANIFEST_BYTES",
    "MAX_TRACK_SAMPLES",
    "MEMBERS",
    "SCHEMA",
    "TRACKS",
    "Manifest",
    "MemberFacts",
    "Side",
    "components_of",
    "side_of",
]

Side = Literal["user", "assistant"]

MANIFEST = "manifest.json"
EVENTS = "events.jsonl.gz"
TRACKS: dict[Side, str] = {"user": "user.flac", "assistant": "assistant.flac"}
MEMBERS = (MANIFEST, EVENTS, *TRACKS.values())

SCHEMA = 1
MAX_MANIFEST_BYTES = 1 << 20
MAX_EVENTS_BYTES = 256 << 20
"""Events as JSON lines, unpacked: about a day of conversation."""
MAX_LINE_BYTES = 32 << 20
"""One event. No endpoint takes or sends more in one frame."""
MAX_TRACK_SAMPLES = 12 * 3600 * 24_000
"""Twelve hours."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]


class MemberFacts(msgspec.Struct, frozen=True):
    """Length and SHA-256 (hexadecimal) of a member."""

    bytes: _Count
    sha256: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording holds, of whom, and what for. There is no key, header or path in it.

    Attributes
    ----------
    schema
        Version of the format.
    made_by
        The program and its version.
    purpose
        What the recording is for, in the words of whoever made it.
    who
        Who takes part, as far as that was said.
    endpoint, dialect
        The endpoint's label and dialect.
    components
        By role, the speech components that the endpoint named.
    began_at, ended_at
        Date and time in UTC (ISO 8601) at which recording began and ended; `ended_at` is empty if it was cut.
    from_s
        Session seconds from which on words and audio are held. Of what was before it, only times and
        structure are.
    events
        Number of events.
    samples
        By side, length of the audio held, at 24 kHz.
    redacted
        Whether words and audio were taken out.
    masked
        In how many events keys or tokens were found and blotted out.
    members
        By name, length and hash of each other member.
    """

    format: Literal["rtlog"] = "rtlog"
    schema: int = SCHEMA
    made_by: str = ""
    purpose: str = ""
    who: tuple[str, ...] = ()
    endpoint: str = ""
    dialect: str = "ga"
    components: dict[str, str] = {}
    began_at: str = ""
    ended_at: str = ""
    from_s: float = 0.0
    events: _Count = 0
    samples: dict[Side, _Count] = {}
    redacted: bool = False
    masked: _Count = 0
    members: dict[str, MemberFacts] = {}

    def encode(self) -> bytes:
        """Return the manifest as JSON; the same for the same content."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=2) + b"\n"

    @classmethod
    def decode(cls, raw: bytes) -> Manifest:
        """Read a manifest.

        Raises
        ------
        BundleError
            It is no manifest, or one of a later version.
        """
        try:
            manifest = msgspec.json.decode(raw, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BundleError(
                f"The manifest cannot be read ({type(error).__name__}).", "Use the original file."
            ) from None
        if manifest.schema != SCHEMA:
            raise BundleError(
                f"The bundle has version {manifest.schema} of the format; this program knows {SCHEMA}.",
                "Upgrade rt-notebook with pip.",
            )
        return manifest


def side_of(event: Event) -> Side:
    """Whose audio it is that an event carries."""
    return "user" if event.direction == "sent" else "assistant"


def components_of(events: Iterable[Event]) -> dict[str, str]:
    """By role, the names of the speech components that the endpoint named; empty if it named none."""
    for event in events:
        if event.type == "session.created":
            found: object = event.data
            for key in ("session", "rt_notebook", "components"):
                found = found.get(key) if isinstance(found, dict) else None
            if isinstance(found, dict):
                return {
                    str(role): str(part["name"])
                    for role, part in found.items()
                    if isinstance(part, dict) and "name" in part
                }
    return {}
