"""Interrupts a program that would run for minutes, and goes on with what it had computed.

    CRUCIBLE_TOKEN=… python3 examples/interrupt.py

The token is that of the line which Crucible prints at its start, or an API key. Python's standard library is enough.
"""

import json
import os
import threading
import time
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000") + "/v1/code_interpreter/"


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + os.environ["CRUCIBLE_TOKEN"], "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


COUNT = """
import time
count = 0
while True:
    count += 1
    time.sleep(0.01)
"""

session = call("POST", "sessions", {"language": "python"})["session_id"]
try:
    answer = {}

    def count():
        answer.update(call("POST", "run", {"session_id": session, "language": "python", "code": COUNT}))

    counting = threading.Thread(target=count)
    counting.start()
    time.sleep(1)

    began = time.monotonic()
    print(call("POST", f"sessions/{session}/interrupt"))
    counting.join()
    print(f"stopped after {(time.monotonic() - began) * 1000:.0f} ms:", answer["status"], answer["diagnostic"]["name"])

    after = call("POST", "run", {"session_id": session, "language": "python", "code": "print('counted to', count)"})
    print(after["stdout"], end="")
    assert not answer["state_lost"] and after["status"] == "succeeded"
finally:
    call("DELETE", f"sessions/{session}")
