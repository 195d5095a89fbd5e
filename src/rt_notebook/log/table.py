"""Events as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rt_notebook.log.records import as_dict, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from rt_notebook.core.events import Event

__all__ = ["events_table"]


def events_table(events: Sequence[Event]) -> pd.DataFrame:
    """Return one row an event, in the order of the log.

    ============  ===========  ==============================================================================
    column        dtype        meaning
    ============  ===========  ==============================================================================
    t_s           float64      seconds on the session clock
    direction     category     ``sent``, ``received`` or ``local``
    type          category     the event's type, in the GA vocabulary
    event_id      string       the event's own id
    item_id       string       the item that it is about
    response_id   string       the response that it is about
    audio_ms      float64      length of the audio that it carried; 0 for none
    level_dbfs    float64      RMS level of that audio, dB relative to full scale; NaN for none
    text          string       its words: a delta, a transcript, an error's message
    error_code    string       the code of the error that it reports
    ============  ===========  ==============================================================================

    The columns and their types are the same for every log, also for an empty one. The frame is a copy.
    """
    import pandas as pd

    levels = [event.level_dbfs for event in events]
    return pd.DataFrame(
        {
            "t_s": pd.Series([event.t_s for event in events], dtype="float64"),
            "direction": pd.Categorical(
                [e.direction for e in events], categories=["sent", "received", "local"]
            ),
            "type": pd.Categorical([e.type for e in events], categories=sorted({e.type for e in events})),
            "event_id": pd.array([as_text(e.data.get("event_id")) for e in events], dtype="string"),
            "item_id": pd.array([e.item_id for e in events], dtype="string"),
            "response_id": pd.array([e.response_id for e in events], dtype="string"),
            "audio_ms": pd.Series([event.audio_ms for event in events], dtype="float64"),
            "level_dbfs": pd.Series(levels, dtype="float64"),
            "text": pd.array([event.text for event in events], dtype="string"),
            "error_code": pd.array([_error_code(event) for event in events], dtype="string"),
        }
    )


def _error_code(event: Event) -> str | None:
    """Return the code of an error, a failed transcription or a failed response; its type if it has none."""
    if "error" not in event.data and "response" not in event.data:
        return None
    details = as_dict(as_dict(event.data.get("response")).get("status_details"))
    error = as_dict(event.data.get("error")) or as_dict(details.get("error"))
    return as_text(error.get("code")) or as_text(error.get("type"))
