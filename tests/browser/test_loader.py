"""How the front end comes into the page: asked for, offered, lost, late, forbidden."""

from __future__ import annotations

import json

import pytest

from rt_notebook.widgets.port.audio_port import AudioPort

WAITING = "Waiting for the kernel. Run this cell to start the widget."


@pytest.fixture
def make(bridge):
    made = []

    def start():
        made.append(AudioPort())
        return made[-1]

    yield start
    for widget in made:
        widget.close()


def tell(page, what):
    page.evaluate("(e) => document.dispatchEvent(new CustomEvent('bridge', {detail: e}))", what)


def text(page) -> str:
    return page.inner_text("#views")


def test_the_page_asks_once_and_two_views_have_one_style(make, show, wait_until):
    port = make()
    port._code.taken()  # no offers: what comes is the answer
    page = show(port)
    tell(page, "show")
    page.wait_for_function("document.querySelectorAll('.rt-widget button').length === 2")
    assert port._code.sent == 1
    assert page.evaluate("document.adoptedStyleSheets.length") == 1
    assert page.evaluate("getComputedStyle(document.querySelector('.rt-widget')).borderRadius") == "12px"
    wait_until(lambda: port._code._due_s == [], "the kernel knows that the page has it")


def test_a_kernel_that_is_too_busy_to_be_asked_offers_the_code(make, show, monkeypatch):
    port = make()
    monkeypatch.setattr(port._code, "asked", lambda: None)
    monkeypatch.setattr(port._code, "taken", lambda: None)
    page = show(port)
    page.wait_for_selector(".rt-widget button:has-text('Start listening')")


def test_code_lost_on_the_way_is_sent_again(make, show, bridge, wait_until):
    port = make()
    port._code.taken()
    bridge.drop_next_to_page(1)
    page = show(port)
    page.wait_for_selector(".rt-widget button:has-text('Start listening')")
    assert bridge.dropping == 0


def test_without_a_kernel_one_sentence_says_what_to_do_and_nothing_happens(make, show, monkeypatch):
    port = make()
    port._code.taken()
    monkeypatch.setattr(port._code, "asked", lambda: None)
    page = show(port, loaded=False)
    assert text(page) == WAITING
    before = page.evaluate("performance.getEntriesByType('resource').length")
    page.wait_for_timeout(1500)
    assert text(page) == WAITING
    assert page.evaluate("performance.getEntriesByType('resource').length") == before
    assert page.evaluate("document.adoptedStyleSheets.length") == 0
    tell(page, "kernel-restart")
    assert text(page) == WAITING


def test_a_view_that_goes_before_the_code_comes_never_opens(make, show, monkeypatch, wait_until):
    port = make()
    port._code.taken()
    asked = []
    monkeypatch.setattr(port._code, "asked", lambda: asked.append(port._code))
    page = show(port, loaded=False)
    wait_until(lambda: asked, "the page asked")
    tell(page, "hide")
    tell(page, "show")
    monkeypatch.undo()
    port._line.submit(port._code.asked)
    page.wait_for_selector(".rt-widget")
    assert page.locator(".rt-widget").count() == 1
    assert page.locator("#views > div").count() == 1


def test_a_reloaded_page_asks_again(make, show, wait_until):
    port = make()
    page = show(port)
    wait_until(lambda: port._code._due_s == [], "the kernel knows that the page has it")
    page.reload()
    page.wait_for_selector(".rt-widget button:has-text('Start listening')")


def test_a_policy_that_forbids_the_code_is_one_sentence(make, bridge, browser):
    page = browser.new_page()
    try:
        page.goto(bridge.url(make()) + "&csp=")
        page.wait_for_selector("#views:has-text('allow blob: in its script-src')")
        assert text(page).startswith("This page does not let the widget's code run")
        assert len(text(page)) < 150
        assert page.locator(".rt-widget").count() == 0
    finally:
        page.close()


def test_a_policy_that_forbids_only_blob_is_got_along_with(make, bridge, browser):
    page = browser.new_page()
    try:
        page.goto(bridge.url(make()) + "&csp=data:")
        page.wait_for_selector(".rt-widget button:has-text('Start listening')")
    finally:
        page.close()


def test_the_whole_state_of_a_widget_in_use_stays_small(make, show, wait_until):
    port = make()
    page = show(port)
    page.click("button:has-text('Start listening')")
    wait_until(lambda: port.mic_state == "on" and port._mic.chunks > 25, "it records")
    assert len(json.dumps(port.get_state(), default=str)) < 4_000
