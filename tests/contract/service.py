"""The real services, started as an operator starts them, in a data directory of their own."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import urllib.request

PATIENCE = 120  # seconds: longer than any start on a busy machine


class Service:
    """Use it in `with`: it is ended, and what it wrote is removed, in any case."""

    def __init__(self, launcher):
        # Sandboxes have a /tmp of their own; and their users have to be able to come in.
        self.data = tempfile.mkdtemp(prefix="crucible-contract.", dir="/var/tmp")
        os.chmod(self.data, 0o755)
        self.password = secrets.token_hex(16)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        settings = {"ADMIN_PASSWORD": self.password, "LOG_LEVEL": "warn", "LOG_FORMAT": "json"}
        self.log = open(os.path.join(self.data, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [launcher, "--port", "0", "--no-provision", "--data-dir", self.data],
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def __enter__(self):
        try:
            signal.signal(signal.SIGALRM, self.took_too_long)
            signal.alarm(PATIENCE)
            for line in self.process.stdout:
                if address := re.search(r"every call\s+(http://\S+)/docs", line):
                    self.url = address[1]
                # The last line: from here on nothing more is printed.
                if line.startswith("curl "):
                    signal.alarm(0)
                    return self
            raise RuntimeError(f"the service did not start: {self.logged()}")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.data, ignore_errors=True)

    def took_too_long(self, *_):
        raise RuntimeError(f"the service did not start in {PATIENCE} s: {self.logged()}")

    def logged(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as log:
            return log.read()[-4000:]

    def call(self, method, path, token=None, body=None):
        """The JSON of an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def sign_in(self, name, password):
        """An access token."""
        body = {"username": name, "password": password}
        return self.call("POST", "/v1/auth/token", body=body)["access_token"]

    def user(self, name):
        """An access token of a new user."""
        password = secrets.token_hex(16)
        admin = self.sign_in("admin", self.password)
        self.call("POST", "/v1/users", admin, {"username": name, "password": password})
        return self.sign_in(name, password)
