#!/usr/bin/env python3
"""A web server in the background of a session, which a later run calls.

    CRUCIBLE_TOKEN=… python3 examples/server.py

The token is that of the line which Crucible prints at its start, or an API key. Python's standard library is enough.
"""

import json
import os
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000")
TOKEN = os.environ["CRUCIBLE_TOKEN"]
API = "/v1/code_interpreter"


def call(method, path, body=None):
    """One request of the REST API."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


session = call("POST", f"{API}/sessions", {"language": "python"})["session_id"]
try:
    processes = f"{API}/sessions/{session}/processes"
    call("POST", processes, {"command": "echo '<h1>it works</h1>' > index.html"})
    server = call(
        "POST",
        processes,
        {"command": ["python3", "-u", "-m", "http.server", "8080"], "background": True, "tag": "web"},
    )
    print("started:", server["process_id"], server["status"])

    # Its events are there for whoever asks: here, until it says that it listens.
    request = urllib.request.Request(
        f"{URL}{processes}/{server['process_id']}/events", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request) as events:
        for line in events:
            if line.startswith(b"data:") and b"Serving HTTP" in line:
                print("it says:", json.loads(line[5:])["text"].strip())
                break

    code = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8080/').read().decode())"
    run = call("POST", f"{API}/run", {"language": "python", "code": code, "session_id": session})
    print("a run gets:", run["stdout"].strip())

    ended = call("DELETE", f"{processes}/{server['process_id']}")
    print("ended:", ended["status"], ended["signal"])
finally:
    call("DELETE", f"{API}/sessions/{session}")
