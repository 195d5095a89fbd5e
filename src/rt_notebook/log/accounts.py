"""What is known of a conversation: its items, its responses, and where each of them belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rt_notebook.log.audio_clock import AudioClock
from rt_notebook.log.fields import as_dict
from rt_notebook.log.mic_track import MicTrack
from rt_notebook.log.pages import Pages
from rt_notebook.log.records import AudioPiece, Incident, Item, Response

if TYPE_CHECKING:
    from rt_notebook.core.events import Event

__all__ = ["Accounts"]


class Accounts:
    """Items and responses of a log, and what the user's audio did. Made by `Ledger`, filled by the readers.

    Attributes
    ----------
    count
        How many events have been read.
    items, responses
        By id, in the order in which the log first names them.
    answers
        The responses of each turn, by `Response.turn_key`.
    order
        Item ids in the order of the conversation.
    places, insertions
        Where in `order` each of them stands; how often one was not put at the end.
    touched
        Ids of items and responses that were read about since somebody last cleared it.
    microphone
        The audio that was sent, piece by piece.
    track, pages
        The same on the present connection, by position and loudness; what pages told of their clocks.
    incidents
        What went wrong, in the order of the log.
    sent
        Time and type of the client's events that have an id.
    session
        What the endpoint last said of the session.
    calls
        What each call of a tool was last said to be, by its id: the whole event.
    connection, microphone_event
        The last events that tell whether the connection and the microphone are open.
    start_s, end_s
        Session seconds of the first and the last event.
    """

    def __init__(self) -> None:
        self.count = 0
        self.items: dict[str, Item] = {}
        self.responses: dict[str, Response] = {}
        self.answers: dict[str, list[Response]] = {}
        self.order: list[str] = []
        self.places: dict[str | None, int] = {}
        self.insertions = 0
        self.touched: set[str] = set()
        self.microphone: list[AudioPiece] = []
        self.start_s = 0.0
        self.end_s = 0.0

        # What later events are read by.
        self.session_id: str | None = None
        self.counts_from_start = False
        self.turn_detection: dict[str, Any] = {}
        self.microphone_clock = AudioClock()
        self.track = MicTrack()
        self.pages = Pages()
        self.uncommitted_s: float | None = None
        self.sent_items: list[tuple[float, dict[str, Any]]] = []
        self.sent_commit_s: float | None = None
        self.sent_request_s: float | None = None
        self.sent_request_id: str | None = None

        self.incidents: list[Incident] = []
        self.sent: dict[str, tuple[float, str]] = {}
        self.session: dict[str, Any] = {}
        self.calls: dict[str, Event] = {}
        self.connection: Event | None = None
        self.microphone_event: Event | None = None
        self.microphone_sent_s: float | None = None

    def item(self, item_id: str, role: str | None = None) -> Item:
        """Return the record of an item, made when the log first names it."""
        item = self.items.get(item_id)
        if item is None:
            item = self.items[item_id] = Item(item_id, self.count)
        self.touched.add(item_id)
        if item.role is None:
            item.role = role
        return item

    def response(self, event: Event) -> Response | None:
        """Return the record of the response that an event names, or None if it names none."""
        response_id = event.response_id
        if response_id is None:
            return None
        response = self.responses.get(response_id)
        if response is None:
            turn_key = response_id if _is_out_of_band(event) else self._turn_key(response_id, event.item_id)
            response = self.responses[response_id] = Response(response_id, self.count, turn_key)
            self.answers.setdefault(turn_key, []).append(response)
        self.touched.add(response_id)
        return response

    def place(self, item: Item, previous_item_id: str | None) -> None:
        """Put an item into the conversation, once: later events may not know its predecessor any more."""
        item.lost = False
        if item.placed:
            return
        item.placed = True
        place = len(self.order)
        if previous_item_id == "root":
            place = 0
        elif previous_item_id in self.places:
            place = self.places[previous_item_id] + 1
            # What the endpoint does not know any more was said before this all the same.
            while place < len(self.order) and self.items[self.order[place]].lost:
                place += 1
        self.order.insert(place, item.id)
        self.places[item.id] = place
        if place < len(self.order) - 1:
            self.insertions += 1
            self.places = {item_id: index for index, item_id in enumerate(self.order)}

    def lose(self) -> None:
        """Take that the conversation ended with its connection: what the next one is told goes on."""
        for item in self.items.values():
            item.lost = True
        for response in self.responses.values():
            if not response.lost:
                response.lost = True
                if any(self.items[item_id].type == "function_call" for item_id in response.item_ids):
                    self.touched.add(response.id)

    def _turn_key(self, response_id: str, own_item_id: str | None) -> str:
        """Return what a new response answers, from the conversation as it stands.

        It is the last user item, if nothing has answered it yet or nothing came after it; the turn of the
        call, if a function's output is last; else the response stands alone.
        """
        last: Item | None = None
        for item_id in reversed(self.order):
            item = self.items[item_id]
            if item.deleted or item.lost or item.role == "system" or item_id == own_item_id:
                continue
            if item.is_user:
                if last is None or item_id not in self.answers:
                    return item_id
                break
            last = last or item
            if item.role == "assistant" and item.response_id is None:
                break  # written into the history by the client: it answers what stands before it
        call = None if last is None or last.call_id is None else self._caller(last.call_id)
        return response_id if call is None else call.turn_key

    def _caller(self, call_id: str) -> Response | None:
        for item in reversed(self.items.values()):
            if item.call_id == call_id and item.response_id in self.responses:
                return self.responses[item.response_id]
        return None


def _is_out_of_band(event: Event) -> bool:
    """Whether a response stands outside the conversation: its ``conversation_id`` is there and null."""
    return as_dict(event.data.get("response")).get("conversation_id", "") is None
