from __future__ import annotations

import stat
from html.parser import HTMLParser

import pytest
from matplotlib import pyplot as plt
from scripted_log import Script, conversation

from rt_notebook import report
from rt_notebook.core.events import Event
from rt_notebook.errors import LogFileError
from rt_notebook.log.event_log import EventLog

CANARY = "sk-canary-0123456789abcdefghij"


class Page(HTMLParser):
    def __init__(self, path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data) -> None:
        self.words += data


def test_it_holds_the_whole_session(tmp_path) -> None:
    log = conversation()
    page = Page(report(log, tmp_path / "session.html", prices={"output_audio": 64.0}))
    for words in (
        "What's the weather like in Lisbon today?",
        "Tomorrow brings a few clouds",
        "1080.0",
        "turn_detected",
    ):
        assert words in page.words
    assert str(len(log)) in page.words
    assert page.tags.count("svg") == 2
    assert page.tags.count("s") == 1, "what was generated and not heard"
    assert stat.S_IMODE((tmp_path / "session.html").stat().st_mode) == 0o600


def test_it_needs_nothing_from_elsewhere_and_runs_nothing(tmp_path) -> None:
    page = Page(report(conversation(), tmp_path / "session.html"))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form", "foreignobject"} & set(
        page.tags
    )
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [
        value for name, value in page.attributes if name in {"src", "href", "xlink:href", "action", "data"}
    ]
    assert all(value is not None and value.startswith(("#", "data:image/png;base64,")) for value in links)
    assert "@import" not in page.html
    assert "url(http" not in page.html


def test_it_is_light_and_dark_by_its_style(tmp_path) -> None:
    page = Page(report(conversation(), tmp_path / "session.html"))
    assert "prefers-color-scheme:dark" in page.html


EVIL = (
    "<script>alert(1)</script>",
    "<img src=x onerror='alert(2)'>",
    "</td></table></svg><svg onload=alert(3)>",
    "]]></style><style>@import 'http://evil.example'</style>",
    "<button data-commandlinker-command='x'>\u202egnp</button>\x00\x1b[31m",
    "<math><mi//xlink:href='data:x,<script>alert(4)</script>'>",
)


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("evil", EVIL)
def test_what_is_said_cannot_become_markup(evil, tmp_path) -> None:
    script = Script()
    script.say(evil, 1.0, 4.0)
    script.answer(evil + " and more words", 4.6, 4.0, heard_s=1.0)
    script.add(
        9.0, "received", "error", error={"code": evil, "message": evil, "param": evil, "event_id": evil}
    )
    script.add(9.1, "local", "local.gap", cause=evil, length_s=1.0)
    script.add(9.2, "local", "local.connected", endpoint=evil, dialect=evil)
    script.add(9.3, "received", "response.done", response={"id": evil, "status": evil})
    page = Page(report(script.log(), tmp_path / "session.html"))
    allowed = set(Page(report(conversation(), tmp_path / "plain.html")).tags)
    assert set(page.tags) <= allowed
    assert not [name for name, _ in page.attributes if name.startswith(("on", "data-"))]
    styles = [piece.partition("</style>")[0] for piece in page.html.split("<style")[1:]]
    assert styles
    assert not [style for style in styles if "evil" in style]


def test_no_key_is_in_it(tmp_path) -> None:
    script = Script()
    script.say(f"My key is {CANARY}", 1.0, 4.0)
    script.answer(f"You said {CANARY}", 4.6, 4.0)
    script.add(9.0, "received", "error", error={"message": f"Incorrect API key provided: {CANARY}"})
    page = Page(report(script.log(), tmp_path / "session.html"))
    assert CANARY[:20] not in page.html


def test_a_log_with_nothing_in_it(tmp_path) -> None:
    for events in ([], [Event(0.0, "local", "local.connected", {})]):
        page = Page(report(EventLog(events), tmp_path / "session.html"))
        assert "None." in page.words


def test_it_leaves_nobodys_figures_behind(tmp_path) -> None:
    report(conversation(), tmp_path / "session.html")
    assert plt.get_fignums() == []


def test_the_same_session_gives_the_same_file(tmp_path) -> None:
    first = report(conversation(), tmp_path / "a.html").read_bytes()
    assert report(conversation(), tmp_path / "b.html").read_bytes() == first


def test_a_file_that_cannot_be_made_is_told_with_a_remedy(tmp_path) -> None:
    with pytest.raises(LogFileError, match=r"nowhere/session.html cannot be written .* folder that is there"):
        report(conversation(), tmp_path / "nowhere" / "session.html")
