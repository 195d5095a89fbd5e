"""The dialects of the Realtime API, each as a codec to and from the GA vocabulary.

GA is what this package speaks inside. The *preview* dialect (``OpenAI-Beta: realtime=v1``, and Azure's path
with ``api-version``) has other shapes and names. Both directions are here, since the client and the local
server each need one half. Azure Voice Live's dialect is served only.

Fields and event types that are not named in the codecs pass through unchanged.

Source of the rules: the vendors' published schemas of both dialects, and recorded sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rt_notebook.core.preview import (
    NotInDialect,
    client_from_preview,
    client_to_preview,
    server_from_preview,
    server_to_preview,
)
from rt_notebook.core.voice_live import client_from_voice_live, server_to_voice_live

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DIALECTS", "GA", "PREVIEW", "VOICE_LIVE", "Dialect", "DialectName", "NotInDialect"]

Json = dict[str, Any]
DialectName = Literal["ga", "preview", "voice_live"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Translate events between a wire and the GA vocabulary.

    Each function takes one event and returns one, or None where the other side has no such event. The event
    that is passed in is not changed. `client_from_wire` raises `NotInDialect` for what another dialect
    would say.
    """

    name: DialectName
    client_to_wire: Callable[[Json], Json]
    client_from_wire: Callable[[Json], Json]
    server_to_wire: Callable[[Json], Json | None]
    server_from_wire: Callable[[Json], Json]


def _same(event: Json) -> Json:
    return event


GA = Dialect("ga", _same, _same, _same, _same)
"""The dialect of ``/v1/realtime`` and of Azure's ``/openai/v1/realtime``: no translation."""

PREVIEW = Dialect("preview", client_to_preview, client_from_preview, server_to_preview, server_from_preview)
"""The dialect of Azure's ``/openai/realtime?api-version=…`` and of ``OpenAI-Beta: realtime=v1``."""

VOICE_LIVE = Dialect(
    "voice_live", client_to_preview, client_from_voice_live, server_to_voice_live, server_from_preview
)
"""The dialect of Azure's ``/voice-live/realtime?api-version=…&model=…``."""

DIALECTS: dict[DialectName, Dialect] = {dialect.name: dialect for dialect in (GA, PREVIEW, VOICE_LIVE)}
