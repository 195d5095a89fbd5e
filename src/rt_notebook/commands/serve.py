"""``rt-notebook serve``: the local realtime server, for any client of the API."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from rt_notebook.server.engine.abilities import REPLIES
from rt_notebook.server.host.faults import faults_help
from rt_notebook.server.host.limits import Limits
from rt_notebook.server.host.logs import configure_logs, log_event

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--api-key", help="what clients have to know (default: a key made up now)")
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a web page's origin that may use the server besides those on loopback, such as "
        "https://lab.example.org; may be given more than once",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that leads here, such as a reverse proxy's; may be given more than once",
    )
    parser.add_argument(
        "--max-sessions", type=int, default=Limits().sessions, help="sessions at once (default: %(default)s)"
    )
    parser.add_argument(
        "--session-minutes",
        type=float,
        default=60.0,
        metavar="N",
        help="how long a session may last, also a fraction (default: %(default)s)",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="how stderr tells what happens (default: %(default)s)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:KEY=VALUE,...]",
        help="let something go wrong on purpose, as a lesson; --fault help lists what; may be given more "
        "than once",
    )
    parser.add_argument(
        "--fault-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the faults' chance (default: %(default)s)",
    )
    parser.add_argument("--chat-url", help="an OpenAI-compatible chat endpoint that writes the replies")
    parser.add_argument("--chat-model", help="the model to ask that endpoint for")
    parser.add_argument(
        "--reply",
        choices=REPLIES,
        default="auto",
        help="who writes the replies; echo says the user's own audio again (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. One JSON line on stdout says where; all else goes to stderr."""
    if "help" in args.fault:
        print(faults_help())
        return 0
    configure_logs(args.log_format)
    asyncio.run(_serve(args))
    return 0


def _leave() -> None:
    """End the process now: a model amid its work cannot be interrupted, and nobody waits for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _serve(args: argparse.Namespace) -> None:
    from rt_notebook.server.host.app import RealtimeServer

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = RealtimeServer(
        host=args.host,
        port=args.port,
        api_key=args.api_key,
        chat_url=args.chat_url,
        chat_model=args.chat_model,
        allowed_origins=args.allow_origin,
        allowed_hosts=args.allow_host,
        session_minutes=args.session_minutes,
        faults=args.fault,
        seed=args.fault_seed,
        limits=Limits(sessions=args.max_sessions),
        reply=args.reply,
    )
    stopped = asyncio.ensure_future(stop.wait())
    starting = asyncio.ensure_future(server.start())
    await asyncio.wait({stopped, starting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        _leave()
    await starting
    for role, part in server.components.items():
        log_event("component", role=role, name=part["name"], note=part["note"] or None)
    ready = {
        "realtime_url": server.realtime_url,
        "azure_endpoint": server.azure_endpoint,
        # Whoever gave a key knows it; of one that was made up, this line is the only word.
        "api_key": None if args.api_key else server.key.reveal(),
        "components": server.components,
    }
    print(json.dumps(ready), flush=True)
    await stopped
    try:
        await asyncio.wait_for(server.stop(), 1.0)
    except TimeoutError:
        log_event("clients_left_without_goodbye", level=logging.WARNING)
    _leave()
