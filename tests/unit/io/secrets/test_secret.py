"""A key shows itself nowhere."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from rt_notebook.io.endpoints.endpoint import Endpoint
from rt_notebook.io.secrets.secret import Secret
from rt_notebook.io.session.session import Session

CANARY = "sk-canary-7f3a"


def test_a_secret_masks_itself_everywhere():
    secret = Secret(CANARY)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>10}",
        f"{secret} {secret!r}",
        repr({"k": secret}),
    ]
    shown.append(repr(copy.deepcopy(secret)))
    assert CANARY not in "".join(shown)
    assert secret.reveal() == CANARY
    for spill in (pickle.dumps, json.dumps, lambda s: copy.copy(s).__reduce_ex__(2)):
        with pytest.raises(TypeError):
            spill(secret)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Endpoint.openai(api_key=CANARY),
        lambda: Endpoint.azure(endpoint="https://x.openai.azure.com", deployment="d", api_key=CANARY),
        lambda: Endpoint.url("ws://127.0.0.1:1/v1/realtime", api_key=CANARY),
    ],
)
async def test_no_key_in_an_endpoint_its_address_or_a_failing_session(make, caplog):
    endpoint = make()
    assert CANARY not in repr(endpoint)
    assert CANARY not in repr(await endpoint.address())
    assert CANARY not in (await endpoint.address()).url


async def test_no_key_in_the_log_and_the_traceback_of_a_refused_connection(caplog, unused_tcp_port):
    caplog.set_level(logging.DEBUG)
    session = Session(Endpoint.url(f"ws://127.0.0.1:{unused_tcp_port}/v1/realtime", api_key=CANARY))
    with pytest.raises(Exception, match="cannot be reached") as caught:
        await session.connect()
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(session.log[:])
    for frame in traceback.walk_tb(caught.value.__traceback__):
        shown += repr({name: value for name, value in frame[0].f_locals.items() if name != "CANARY"})
    assert CANARY not in shown
