"""Readers of the session: its settings, its connection, and the clocks on both ends of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.log.audio_clock import AudioClock
from rt_notebook.log.fields import as_dict, as_number, as_text
from rt_notebook.log.mic_track import MicTrack

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts
    from rt_notebook.log.readers import Reader


def _created(accounts: Accounts, event: Event) -> None:
    session_id = as_text(as_dict(event.data.get("session")).get("id"))
    # Another session (after a reconnect) counts the audio from zero again.
    if accounts.session_id not in {None, session_id}:
        accounts.microphone_clock, accounts.track = AudioClock(), MicTrack()
        accounts.lose()
    accounts.session_id = session_id
    accounts.counts_from_start = True
    if accounts.connection is None:
        accounts.connection = event  # a log of the wire alone
    _settings(accounts, event)


def _settings(accounts: Accounts, event: Event) -> None:
    accounts.session = as_dict(event.data.get("session"))
    audio_input = as_dict(as_dict(accounts.session.get("audio")).get("input"))
    accounts.turn_detection = as_dict(audio_input.get("turn_detection"))


def _connection(accounts: Accounts, event: Event) -> None:
    accounts.connection = event


def _closed(accounts: Accounts, event: Event) -> None:
    accounts.connection = event
    for response in accounts.responses.values():
        if response.done_s is None:
            response.status, response.reason = "incomplete", "connection_closed"
            accounts.touched.add(response.id)
    for item in list(accounts.items.values()):
        if item.is_user and not item.placed:  # speech that was cut off: it stands where it was said
            accounts.place(item, None)
            accounts.touched.add(item.id)
    accounts.lose()


def _clock(accounts: Accounts, event: Event) -> None:
    accounts.pages.exchanged(event)


def _round_trip(accounts: Accounts, event: Event) -> None:
    seconds = as_number(event.data.get("round_trip_s"))
    if seconds is not None and seconds >= 0:
        accounts.track.add_round_trip(seconds)


READERS: dict[str, Reader] = {
    "session.created": _created,
    "session.updated": _settings,
    "local.connected": _connection,
    "local.closed": _closed,
    "local.reconnecting": _connection,
    "local.resting": _connection,
    "local.gap": _connection,
    "local.gave_up": _connection,
    "local.limit": _connection,
    "local.clock": _clock,
    "local.round_trip": _round_trip,
}
