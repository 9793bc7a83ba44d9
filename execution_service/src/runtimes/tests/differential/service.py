"""The whole of Crucible: `CRUCIBLE_URL`, and `CRUCIBLE_TOKEN` of somebody who may run programs."""

import json
import os
import signal
import urllib.error
import urllib.request

from .allowed import OF_SANDBOX
from .bare import Ended
from .plain import plain

_HOMES = "/home/user", "/run/crucible"
_RUN_SECONDS = 30  # only ever reached by a program that hangs
_PATIENCE_SECONDS = 300
_SESSIONS = "/v1/code_interpreter/sessions"


class Service:
    """Runs programs by way of the API."""

    is_all = False
    also_allowed = OF_SANDBOX

    def __init__(self):
        self._url = os.environ["CRUCIBLE_URL"]
        self._token = os.environ["CRUCIBLE_TOKEN"]

    @staticmethod
    def modes(program):
        once = "once", [program.whole]
        # Those of one run are played in a session by test_differential.py.
        return (once, ("session", program.runs)) if len(program.runs) > 1 else (once,)

    def call(self, method, path, body=None):
        headers = {"Authorization": "Bearer " + self._token, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError("%s %s: %s" % (method, path, error.read().decode())) from None

    def answer(self, language, code, **more):
        """Of one run, as the API gives it."""
        body = {"language": language, "code": code, "timeout": _RUN_SECONDS, **more}
        return self.call("POST", "/v1/code_interpreter/run", body)

    def run(self, language, runs, mode):
        """What all runs have said, and the status of the last."""
        if mode == "once":
            return _ended([self.answer(language, runs[0])])
        made = self.call("POST", _SESSIONS, {"language": language, "ttl": 120})["session_id"]
        answers = []
        for code in runs:
            answers.append(self.answer(language, code, session_id=made))
            if answers[-1]["status"] == "killed":
                break
        self.call("DELETE", "%s/%s" % (_SESSIONS, made))
        return _ended(answers)


def _ended(answers):
    last = answers[-1]
    if last["status"] == "killed":
        status = 128 + getattr(signal, last["signal"])
    elif last["status"] == "compile_failed":
        status = 1
    elif last["status"] in ("succeeded", "failed"):
        status = last["exit_code"]
    else:
        status = last["status"]
    said = [plain("".join(answer[which] for answer in answers), *_HOMES) for which in ("stdout", "stderr")]
    return Ended(*said, status)
