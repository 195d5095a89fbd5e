"""Calls of tools on their cards, in a real browser on the local server: allowed, refused, and only words."""

from __future__ import annotations

import pytest

from rt_notebook.core.config import SessionConfig
from rt_notebook.core.events import Event
from rt_notebook.core.tools import tool
from rt_notebook.widgets.playground.playground import Playground

pytestmark = pytest.mark.speech

LONG_S = 120.0


@pytest.fixture
def asked_for():
    return []


@pytest.fixture
def playground(bridge, asked_for):
    @tool
    def get_weather(city: str) -> str:
        """Tell the weather in a city.

        Args:
            city: Name of the city, such as Paris.
        """
        asked_for.append(city)
        return f"In {city} it is 18 degrees with light rain."

    made = Playground(config=SessionConfig(tools=[get_weather]))
    yield made
    made.close()


def ask(page, question):
    page.fill(".rt-type input", question)
    page.keyboard.press("Enter")


def states(playground):
    return [event.data["state"] for event in playground.log if event.type == "local.tool_call"]


def test_a_call_runs_when_it_is_approved_and_the_answer_tells_its_output(
    playground, asked_for, show, wait_until
):
    page = show(playground)
    ask(page, "What is the weather in Paris?")
    page.wait_for_selector(".rt-call[data-state=pending]", timeout=LONG_S * 1000)
    assert "get_weather" in page.inner_text(".rt-call")
    assert page.inner_text(".rt-call-arguments") == '{\n  "city": "Paris"\n}'
    assert asked_for == []
    # From the keyboard: into the card, past its arguments, onto the button.
    page.focus(".rt-call-arguments")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Approve"
    page.keyboard.press("Enter")
    page.wait_for_selector(".rt-call[data-state=done]", timeout=LONG_S * 1000)
    assert page.evaluate("document.activeElement.className") == "rt-call"
    page.wait_for_selector(".rt-turn.rt-assistant:has-text('rain')", timeout=LONG_S * 1000)
    assert asked_for == ["Paris"]
    assert not page.is_visible(".rt-call-choice")
    assert "Paris" not in str(playground.get_state()), "nothing of a call is synchronised state"


def test_a_call_that_is_denied_does_not_run(playground, asked_for, show, wait_until):
    page = show(playground)
    ask(page, "What is the weather in Paris?")
    page.wait_for_selector(".rt-call[data-state=pending]", timeout=LONG_S * 1000)
    late = show(playground)
    late.wait_for_selector(".rt-call[data-state=pending]:has-text('Paris')")
    page.click(".rt-call button:has-text('Deny')")
    late.wait_for_selector(".rt-call[data-state=denied]")
    wait_until(lambda: [e.type for e in playground.log].count("response.done") == 2, "it answers", LONG_S)
    assert asked_for == []
    assert states(playground) == ["pending", "denied"]


def test_a_press_that_comes_too_late_or_means_another_call_does_nothing(
    playground, asked_for, show, wait_until
):
    page = show(playground)
    ask(page, "What is the weather in Paris?")
    page.wait_for_selector(".rt-call[data-state=pending]", timeout=LONG_S * 1000)
    [call] = playground.session.pending_calls
    press = {"type": "action", "client": "any", "name": "approve", "call_id": call.call_id}
    playground._line.submit(lambda: playground._on_action(press | {"digest": "another"}, b""))
    page.keyboard.press("Escape")
    playground._observers.submit(playground._interrupt)
    page.wait_for_selector(".rt-call[data-state=cancelled]", timeout=LONG_S * 1000)
    playground._line.submit(lambda: playground._on_action(press | {"digest": call.digest}, b""))
    ask(page, "Hello")
    wait_until(lambda: [e.type for e in playground.log].count("response.done") == 2, "it answers", LONG_S)
    assert asked_for == []
    assert states(playground) == ["pending", "cancelled"]


PAYLOAD = "<img src=x onerror=\"document.title='hit'\"></pre><script>document.title='hit'</script>"


def test_names_arguments_and_messages_stay_words(playground, show):
    page = show(playground)
    page.wait_for_selector(".rt-mic:enabled")
    item = {"type": "function_call", "call_id": PAYLOAD, "name": PAYLOAD, "arguments": PAYLOAD}
    data = {"call_id": PAYLOAD, "name": PAYLOAD, "state": "pending", "message": PAYLOAD}
    rows = playground._rows["calls"]
    rows.add(Event(0.0, "received", "response.done", {"response": {"output": [item]}}))
    rows.add(Event(0.0, "local", "local.tool_call", data))
    page.wait_for_selector(".rt-call")
    assert page.evaluate("document.querySelector('.rt-call-arguments').textContent") == PAYLOAD
    assert page.evaluate("document.querySelector('.rt-call code').textContent") == PAYLOAD
    assert page.locator(".rt-widget :is(img, script)").count() == 0
    assert page.title() == "bridge"
