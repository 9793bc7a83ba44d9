#!/usr/bin/env python3
"""Upload a file, have a program change it, download what it made.

    CRUCIBLE_TOKEN=… python3 examples/files.py

The token is that of the line which Crucible prints at its start, or an API key. Python's standard library is enough.
"""

import http.client
import json
import os
import urllib.parse

URL = urllib.parse.urlsplit(os.environ.get("CRUCIBLE_URL", "http://127.0.0.1:8000"))
TOKEN = os.environ["CRUCIBLE_TOKEN"]
API = "/v1/code_interpreter"


def call(method, path, body=None, **headers):
    """Status, headers and bytes of an answer; what is no success is an exception that says why."""
    if isinstance(body, dict):
        body, headers = json.dumps(body), {"Content-Type": "application/json"} | headers
    kind = http.client.HTTPSConnection if URL.scheme == "https" else http.client.HTTPConnection
    connection = kind(URL.netloc, timeout=60)
    connection.request(method, API + path, body, {"Authorization": f"Bearer {TOKEN}"} | headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {json.loads(content)['detail']}")
    return answer, content


def main():
    _, made = call("POST", "/sessions", {"language": "python"})
    session = json.loads(made)["session_id"]
    files = f"/sessions/{session}/files"
    try:
        # A file with a name of its own; a path is percent-encoded, its slashes are not.
        name = urllib.parse.quote("data/people & numbers.csv")
        answer, _ = call("PUT", f"{files}/{name}", b"name,number\nada,1\ngrace,2\n")
        version = answer.headers["ETag"]
        print("uploaded, version", version)

        code = """
import csv, pathlib
path = pathlib.Path("data/people & numbers.csv")
rows = list(csv.reader(path.open()))
rows += [["sum", sum(int(row[1]) for row in rows[1:])]]
csv.writer(path.open("w")).writerows(rows)
print("changed")
"""
        body = {"language": "python", "code": code, "session_id": session}
        _, ran = call("POST", "/run", body)
        print(json.loads(ran)["stdout"], end="")

        # Whoever writes on the condition that nobody else has is told that somebody has.
        try:
            call("PUT", f"{files}/{name}", b"mine", **{"If-Match": version})
        except RuntimeError as refused:
            print("not overwritten:", refused)

        _, content = call("GET", f"{files}/{name}")
        print(content.decode(), end="")
        _, listed = call("GET", f"{files}?depth=2")
        for entry in json.loads(listed)["entries"]:
            print(f"{entry['mode']} {entry['size']:>6} {entry['path']}")
        _, archive = call("GET", f"{files}.tar?path=data")
        print(f"all of it as an archive: {len(archive)} bytes")
    finally:
        call("DELETE", f"/sessions/{session}")


main()
