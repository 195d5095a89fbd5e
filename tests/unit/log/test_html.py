from __future__ import annotations

from html.parser import HTMLParser

from scripted_log import Script, conversation

from rt_notebook.log.event_log import EventLog
from rt_notebook.log.html import SHOWN_TURNS


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data) -> None:
        self.words += data


def test_it_shows_the_conversation_and_the_counts() -> None:
    log = conversation()
    page = Page(log._repr_html_())
    assert "What's the weather like in Lisbon today?" in page.words
    assert f"{len(log)} events" in page.words
    assert page.tags.count("tr") == 4
    assert "cancelled (turn_detected)" in page.words


def test_words_that_were_not_heard_are_struck_out() -> None:
    page = Page(conversation()._repr_html_())
    assert page.tags.count("s") == 1


def test_what_is_said_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script><img src=x onerror='alert(2)'>"
    script = Script()
    script.say(evil, 1.0, 2.0)
    script.answer(evil, 2.6, 2.0, heard_s=0.5)
    details = {"type": evil, "reason": evil}
    script.add(
        9.0, "received", "response.done", response={"id": evil, "status": evil, "status_details": details}
    )
    page = Page(script.log()._repr_html_())
    assert not {"script", "img"} & set(page.tags)
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert evil in page.words


def test_a_long_conversation_shows_its_end() -> None:
    script = Script()
    for i in range(SHOWN_TURNS + 5):
        script.type(f"Message {i}.", 1.0 + i)
    page = Page(script.log(microphone=False)._repr_html_())
    assert page.tags.count("tr") == SHOWN_TURNS + 1
    assert f"Message {SHOWN_TURNS + 4}." in page.words
    assert "Message 4." not in page.words
    assert f"The last {SHOWN_TURNS} of {SHOWN_TURNS + 5} turns." in page.words


def test_an_empty_log_has_no_table() -> None:
    page = Page(EventLog()._repr_html_())
    assert "table" not in page.tags
    assert "0 events" in page.words


def test_a_finished_answer_that_was_silenced_says_so() -> None:
    script = Script()
    script.say("Hello.", 1.0, 2.0)
    script.answer("A long answer that is cut.", 2.6, 4.0, heard_s=1.0)
    assert "completed, interrupted" in Page(script.log()._repr_html_()).words
