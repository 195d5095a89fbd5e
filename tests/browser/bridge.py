"""A widget in this process, its front end in a real browser, a WebSocket in place of the notebook's comm.

What runs is the real widget on both sides; only what lies between is exchanged: the comm's messages travel in
frames of ``[header length, JSON header, buffers]``. Messages of the page are handled on one thread, as a
kernel does, so that a test can block it.
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import comm
from comm.base_comm import BaseComm
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from rt_notebook.widgets.port.code_line import LOADER

PAGE = (Path(__file__).parent / "page.html").read_bytes()


class Bridge:
    """Serves the page and carries the messages of all widgets made while it is open."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.kernel_thread = ThreadPoolExecutor(1, "kernel")
        self.comms: dict[str, BaseComm] = {}
        self.sockets: set = set()
        self.dropping = 0
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)
        self._create_comm = comm.create_comm
        comm.create_comm = self._make_comm

    def url(self, widget) -> str:
        return f"http://localhost:{self.port}/?model={widget.model_id}"

    def drop_next_to_page(self, count: int) -> None:
        """Lose the next `count` messages to the page, as a reconnecting notebook does."""
        self.dropping = count

    def close(self) -> None:
        comm.create_comm = self._create_comm
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.kernel_thread.shutdown(wait=True)

    def _make_comm(self, **kwargs):
        bridge = self

        class BridgeComm(BaseComm):
            def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
                if msg_type == "comm_msg" and data.get("method") == "custom" and bridge.dropping > 0:
                    bridge.dropping -= 1
                    return
                bridge._broadcast(self.comm_id, msg_type, data or {}, buffers or [])

        made = BridgeComm(**kwargs)
        self.comms[made.comm_id] = made
        return made

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._start())
        self._ready.set()
        self.loop.run_forever()
        self._server.close()
        self.loop.run_until_complete(self._server.wait_closed())

    async def _start(self) -> None:
        self._server = await serve(
            self._socket, "localhost", 0, process_request=self._page, max_size=None, compression=None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def _page(self, connection, request):
        if request.path.startswith("/ws"):
            return None
        code = request.path.startswith("/loader.js")
        body = LOADER.read_bytes() if code else PAGE
        headers = Headers({"Content-Length": str(len(body))})
        headers["Content-Type"] = f"text/{'javascript' if code else 'html'}; charset=utf-8"
        if "&csp=" in request.path:
            allowed = request.path.partition("&csp=")[2]
            headers["Content-Security-Policy"] = f"script-src 'self' 'unsafe-inline' {allowed}"
        return Response(HTTPStatus.OK.value, "OK", headers, body)

    async def _socket(self, socket) -> None:
        self.sockets.add(socket)
        try:
            async for frame in socket:
                (length,) = struct.unpack_from("<I", frame)
                header = json.loads(frame[4 : 4 + length])
                buffers, at = [], 4 + length
                for size in header["sizes"]:
                    buffers.append(memoryview(frame)[at : at + size])
                    at += size
                self.kernel_thread.submit(self._handle, header, buffers)
        finally:
            self.sockets.discard(socket)

    def _handle(self, header, buffers) -> None:
        made = self.comms[header["comm_id"]]
        made.handle_msg({"content": {"data": header["data"]}, "buffers": buffers})

    def _broadcast(self, comm_id, msg_type, data, buffers) -> None:
        parts = [bytes(b) for b in buffers]
        header = {"comm_id": comm_id, "msg_type": msg_type, "data": data, "sizes": [len(p) for p in parts]}
        raw = json.dumps(header).encode()
        frame = struct.pack("<I", len(raw)) + raw + b"".join(parts)
        self.loop.call_soon_threadsafe(self._send_all, frame)

    def _send_all(self, frame: bytes) -> None:
        for socket in list(self.sockets):
            self.loop.create_task(socket.send(frame))
