"""Reader of what the speaker reports: received is not played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.core.audio import SAMPLE_RATE_HZ
from rt_notebook.log.fields import as_number
from rt_notebook.log.readers.items import item_of

if TYPE_CHECKING:
    from rt_notebook.core.events import Event
    from rt_notebook.log.accounts import Accounts
    from rt_notebook.log.readers import Reader

PLAYBACK_GAP_S = 0.15
"""A silence of the speaker shorter than this is jitter of its reports, not a pause."""


def _playback(accounts: Accounts, event: Event) -> None:
    """Take a report of the speaker: so many samples had left it by now."""
    item = item_of(accounts, event)
    played = as_number(event.data.get("played_samples"))
    if item is None or played is None or played < 0:
        return
    item.page_start = item.page_start or accounts.pages.started(event)
    before = item.played_samples or 0
    item.played_samples = max(before, int(played))
    new_samples = item.played_samples - before
    if new_samples > 0:
        # It cannot have sounded before it arrived, nor before what sounded earlier.
        earliest_s = item.played[-1][1] if item.played else item.first_audio_s
        start_s = event.t_s - new_samples / SAMPLE_RATE_HZ
        start_s = min(event.t_s, start_s if earliest_s is None else max(start_s, earliest_s))
        if item.played and start_s - item.played[-1][1] < PLAYBACK_GAP_S:
            item.played[-1] = (item.played[-1][0], event.t_s)
        else:
            item.played.append((start_s, event.t_s))
        item.playback.reach(item.played_samples, event.t_s)
    if event.data.get("state") == "flushed" and item.flushed_s is None:
        item.flushed_s = event.t_s


READERS: dict[str, Reader] = {
    "local.playback": _playback,
}
