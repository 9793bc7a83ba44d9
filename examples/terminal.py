#!/usr/bin/env python3
"""An interactive bash in a session of its own, over the WebSocket of its terminal.

    CRUCIBLE_TOKEN=… python3 examples/terminal.py

The token is that of the line which Crucible prints at its start, or an API key. Needs the package `websockets`
(pip install websockets). The terminal follows the size of yours. When the connection breaks, it comes back where it was; `exit` ends it.
"""

import asyncio
import json
import os
import signal
import sys
import termios
import tty
import urllib.request

import websockets

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000")
TOKEN = os.environ["CRUCIBLE_TOKEN"]
SESSIONS = "/v1/code_interpreter/sessions"


def call(method, path, body=None):
    """One request of the REST API."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def size():
    """That of this terminal."""
    columns, rows = os.get_terminal_size() if sys.stdin.isatty() else (80, 24)
    return {"cols": min(columns, 1000), "rows": min(rows, 1000)}


class Terminal:
    """What has been seen of a terminal, over as many connections as it takes."""

    def __init__(self, path):
        self.path = path
        self.seen = 0
        self.exit = None

    async def attach(self, keys):
        """Shows it until it ends, or the connection does."""
        url = URL.replace("http", "ws", 1) + f"{self.path}/tty?since={self.seen}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        protocol = websockets.Subprotocol("crucible.tty.v1")
        async with websockets.connect(
            url, additional_headers=headers, subprotocols=[protocol]
        ) as socket:
            await socket.send(json.dumps({"resize": size()}))
            loop = asyncio.get_running_loop()
            if sys.stdin.isatty():
                resized = lambda: keys.put_nowait(json.dumps({"resize": size()}))
                loop.add_signal_handler(signal.SIGWINCH, resized)
            typing = asyncio.create_task(self.type(socket, keys))
            try:
                async for frame in socket:
                    await self.show(socket, frame)
            finally:
                typing.cancel()

    async def show(self, socket, frame):
        """Bytes are shown, and said to be; a text says something about them."""
        if isinstance(frame, bytes):
            os.write(sys.stdout.fileno(), frame)
            self.seen += len(frame)
            await socket.send(json.dumps({"ack": self.seen}))
            return
        said = json.loads(frame)
        if "attached" in said:
            self.seen = said["attached"]["offset"]
        elif "gap" in said:
            self.seen = said["gap"]["offset"]
        elif "exit" in said:
            self.exit = said["exit"]

    async def type(self, socket, keys):
        """Sends what is typed."""
        while True:
            await socket.send(await keys.get())


async def main():
    session = call("POST", SESSIONS, {"language": "python", "ttl": 3600})["session_id"]
    processes = f"{SESSIONS}/{session}/processes"
    body = {"command": ["bash", "-i"], "pty": size(), "background": True}
    process = call("POST", processes, body)["process_id"]
    terminal, keys = Terminal(f"{processes}/{process}"), asyncio.Queue()
    loop = asyncio.get_running_loop()

    def typed():
        read = os.read(sys.stdin.fileno(), 4096)
        if not read:
            loop.remove_reader(sys.stdin)
        # The end of what was piped in is the end of input there, too.
        keys.put_nowait(read or b"\x04")

    loop.add_reader(sys.stdin, typed)
    before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    try:
        if before:
            tty.setraw(sys.stdin)
        while terminal.exit is None:
            try:
                await terminal.attach(keys)
            except (OSError, websockets.ConnectionClosed):
                await asyncio.sleep(0.5)
    finally:
        if before:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        call("DELETE", f"{SESSIONS}/{session}")
    return terminal.exit["exit_code"] or 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
