"""The engine under anything that a client may send: it never dies, keeps its order, and repeats itself."""

from __future__ import annotations

import base64

from engine_driver import FRAME, Driver
from hypothesis import given, settings
from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def named(*keys):
    """Objects with the right keys and anything in them."""
    known = st.sampled_from(
        ["realtime", "message", "user", ["audio"], ["text"], {"input": {"format": 1}}, "inf"]
    )
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, json_values | known))


detections = st.sampled_from(
    [
        None,
        {"type": "server_vad", "silence_duration_ms": 64},
        {"type": "server_vad", "interrupt_response": False},
        {"type": "server_vad", "create_response": False},
        {"type": "semantic_vad"},
    ]
)
legal = st.one_of(
    detections.map(
        lambda d: {
            "type": "session.update",
            "session": {"type": "realtime", "audio": {"input": {"turn_detection": d}}},
        }
    ),
    st.integers(0, 12).map(
        lambda n: {"type": "input_audio_buffer.append", "audio": base64.b64encode(FRAME * n + b"\0").decode()}
    ),
    st.sampled_from(
        ["input_audio_buffer.commit", "input_audio_buffer.clear", "response.create", "response.cancel"]
    ).map(lambda t: {"type": t}),
    st.text(max_size=4).map(
        lambda t: {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": t}]},
        }
    ),
)
illegal = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "session.update",
                "input_audio_buffer.append",
                "conversation.item.create",
                "conversation.item.retrieve",
                "conversation.item.delete",
                "conversation.item.truncate",
                "response.create",
                "response.cancel",
                "nonsense",
            ]
        )
    },
    optional={
        "session": json_values | named("type", "instructions", "output_modalities", "audio", "temperature"),
        "audio": json_values,
        "item": json_values | named("id", "type", "role", "content"),
        "item_id": json_values,
        "audio_end_ms": json_values,
        "response": json_values | named("output_modalities", "audio", "instructions", "max_output_tokens"),
        "response_id": json_values,
        "previous_item_id": json_values,
        "event_id": json_values,
    },
)
results = st.sampled_from(["transcribe", "fail", "reply", "half", "stop"]).map(lambda r: {"result": r})
steps = st.lists(
    st.tuples(legal | illegal | results, st.lists(st.sampled_from([0.0, 0.4, 0.9]), max_size=12)), max_size=25
)


def run(script) -> Driver:
    driver = Driver()
    for event, probabilities in script:
        driver.probabilities = list(probabilities)
        match event.get("result"):
            case None:
                driver.take(driver.engine.receive(event))
            case "transcribe" if driver.transcribing:
                driver.transcribe()
            case "fail" if driver.transcribing:
                driver.transcribe(None, "It failed.")
            case "reply" if driver.replying:
                driver.reply("Yes. ", "No.")
            case "half" if driver.replying:
                driver.reply("Yes. ", end=False)
            case "stop" if driver.replying:
                driver.take(driver.engine.finished(driver.replying.pop(0).response_id, "It broke."))
    return driver


@settings(max_examples=300)
@given(steps)
def test_order_holds_and_a_run_repeats_itself(script):
    driver = run(script)
    events = driver.events
    assert events == run(script).events
    assert events[0]["type"] == "session.created"
    assert len({event["event_id"] for event in events}) == len(events)
    open_response, open_items, speaking = None, set(), None
    for event in events:
        match event["type"]:
            case "response.created":
                assert open_response is None
                open_response = event["response"]["id"]
            case "response.done":
                assert event["response"]["id"] == open_response
                assert not open_items
                assert event["response"]["status"] in {"completed", "cancelled", "failed"}
                open_response = None
            case "response.output_item.added":
                assert event["response_id"] == open_response
                open_items.add(event["item"]["id"])
            case "response.output_item.done":
                open_items.remove(event["item"]["id"])
            case "response.output_audio.delta" | "response.output_audio_transcript.delta":
                assert event["item_id"] in open_items
            case "input_audio_buffer.speech_started":
                assert speaking is None
                speaking = event
            case "input_audio_buffer.speech_stopped":
                assert event["item_id"] == speaking["item_id"]
                assert event["audio_end_ms"] > speaking["audio_start_ms"]
                speaking = None
            case "input_audio_buffer.committed" | "input_audio_buffer.cleared":
                speaking = None


@settings(max_examples=50)
@given(st.lists(st.sampled_from([0.0, 0.4, 0.9]), max_size=60), st.randoms(use_true_random=False))
def test_any_chunking_gives_the_same_decisions(probabilities, chance):
    audio = bytes(i % 251 for i in range(len(FRAME))) * len(probabilities)
    detection = {"type": "server_vad", "silence_duration_ms": 64, "create_response": False}
    whole, pieces = Driver(), Driver()
    for driver in (whole, pieces):
        driver.send(
            "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
        )
        driver.probabilities = list(probabilities)
    whole.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())
    start = 0
    while start < len(audio):
        step = 2 * chance.choice([1, 7, 480, 768, 1000, 4000])
        pieces.send("input_audio_buffer.append", audio=base64.b64encode(audio[start : start + step]).decode())
        start += step
    assert [t.pcm for t in whole.transcribing] == [t.pcm for t in pieces.transcribing]
    assert whole.events == pieces.events
