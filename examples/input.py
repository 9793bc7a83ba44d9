#!/usr/bin/env python3
"""A program that asks, and is answered while it runs.

    CRUCIBLE_TOKEN=… python3 examples/input.py

The token is that of the line which Crucible prints at its start, or an API key. Python's standard library is enough.
"""

import json
import os
import sys
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000")
TOKEN = os.environ["CRUCIBLE_TOKEN"]
PROGRAM = """\
name = input("What is your name? ")
print(f"Hello, {name}!")
"""


def call(path, body, headers=None):
    """Sends JSON, and gives the answer as it comes."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request)


def events(answer):
    """The events of an answer, each as its name and its data."""
    name = None
    for line in answer:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def main():
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    run = {"language": "python", "code": PROGRAM, "stdin": {"open": True}, "timeout": 120}
    answer = call("/v1/code_interpreter/run", run, {**bearer, "Accept": "text/event-stream"})
    execution = None
    for name, data in events(answer):
        if name == "started":
            execution = data["execution_id"]
        elif name == "stdout":
            print(data["text"], end="", flush=True)
            if data["text"].endswith("? "):
                line = sys.stdin.readline() or "nobody\n"
                path = f"/v1/code_interpreter/executions/{execution}/stdin"
                call(path, {"text": line, "eof": True}, bearer).close()
        elif name == "finished":
            print(f"[{data['status']} in {data['duration_ms']} ms]")


if __name__ == "__main__":
    main()
