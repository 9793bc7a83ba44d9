"""Two interpreters of two languages in one session: Python writes a file, Node reads it, each keeps its own state.

    CRUCIBLE_TOKEN=… python3 examples/contexts.py

The token is that of the line which Crucible prints at its start, or an API key. Python's standard library is enough.
"""

import json
import os
import urllib.request

URL = os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000") + "/v1/code_interpreter/"


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + os.environ["CRUCIBLE_TOKEN"], "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# No language: each context is made when it is used, or when it is asked for.
session = call("POST", "sessions", {"files": {"data/in.csv": "city,people\nRiga,605\nOslo,709\n"}})["session_id"]


def run(code, **where):
    answer = call("POST", "run", {"session_id": session, "code": code, **where})
    assert answer["status"] == "succeeded", answer
    return answer["stdout"]


try:
    # The session's default Python; its state lives on between runs.
    run("import csv, json\nrows = list(csv.DictReader(open('data/in.csv')))", language="python")
    run("json.dump(rows, open('data/rows.json', 'w'))", language="python")

    # A Node of its own, which begins in the directory of the data and has a variable of its own.
    node = call(
        "POST",
        f"sessions/{session}/contexts",
        {"language": "node", "cwd": "data", "env": {"UNIT": "thousand"}},
    )["context_id"]
    run("const rows = JSON.parse(require('fs').readFileSync('rows.json', 'utf8'))", context_id=node)
    total = "console.log(rows.reduce((sum, row) => sum + Number(row.people), 0), process.env.UNIT)"
    print("Node:", run(total, context_id=node), end="")

    # To restart one leaves the other alone.
    call("POST", f"sessions/{session}/contexts/{node}/restart")
    print("Python still has", run("print(len(rows), 'rows')", language="python"), end="")
    for context in call("GET", f"sessions/{session}/contexts")["data"]:
        print(context)
finally:
    call("DELETE", f"sessions/{session}")
