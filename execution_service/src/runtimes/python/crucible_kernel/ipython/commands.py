"""Commands of the sandbox's shell that a program starts by IPython's notation."""

import codecs
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

_INTERRUPT_SECONDS = 0.05
_READ_BYTES = 1 << 16
_INSTALLS = re.compile(r"\b(?:pip3?(?:\.\d+)?|uv|conda|mamba)\s+(?:\S+\s+)*?(?:install|download|add)\b")
# Through one of these a package may come although there is no route.
_OTHER_WAYS = (
    "PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy",
)
_ELSEWHERE = ("192.0.2.1", 9)  # an address of the documentation (RFC 5737)
_NO_NETWORK = (
    "There is no network here, so nothing can be downloaded or installed. What is installed: `%pip list`, or"
    " GET /v1/languages. Whoever runs this service can add packages to its Python (PYTHON_PACKAGES, PYTHON_ENVIRONMENT),"
    " or allow hosts (EGRESS_ALLOW), which the `network` of a session or run can then name.\n"
)


def run(command, capture=False):
    """Runs `command` by the shell, to its end. What it writes goes where the program's own output goes, as it
    comes; with `capture` both streams are returned as one text. Returns (status, text); a status below 0 is a signal.
    """
    environment = None
    offline = _INSTALLS.search(command) is not None and _is_offline()
    if offline:  # or it would try for half a minute
        environment = {"PIP_RETRIES": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **os.environ}
    shell = shutil.which("bash") or "/bin/sh"
    parts = [] if capture else None
    write = parts.append if capture else None
    status = execute([shell, "-c", command], environment=environment, out=write, err=write)
    if offline and status != 0:
        sys.stderr.write(_NO_NETWORK)
    return status, "".join(parts) if capture else None


def execute(arguments, input=None, environment=None, out=None, err=None):
    """Runs a program to its end and returns its status. `input`: its standard input, which is otherwise that of the
    run; `out` and `err`: functions for its texts, which otherwise go where those of the run go."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # The program's own stream may be one in memory (`%%capture`, redirect_stdout): then the text passes through here.
    out = out or _writer_unless_inherited(sys.stdout, 1)
    err = err or _writer_unless_inherited(sys.stderr, 2)
    child = start(
        arguments, input, environment,
        stdout=subprocess.PIPE if out else None,
        stderr=subprocess.STDOUT if err and err is out else subprocess.PIPE if err else None,
    )
    child._sigint_wait_secs = 0  # nobody but us tells it of an interrupt
    try:
        _pass_on([(child.stdout, out), (child.stderr, err)])
        return child.wait()
    except BaseException:
        _end(child)
        raise
    finally:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def start(arguments, input=None, environment=None, **streams):
    """Starts a program in a group of its own, which an interrupt can end as a whole."""
    if input is not None:
        streams["stdin"] = _source_of(input.encode("utf-8", "surrogateescape"))
    try:
        return subprocess.Popen(arguments, env=environment, start_new_session=True, **streams)
    finally:
        if input is not None:
            streams["stdin"].close()


def _source_of(data):
    # Nobody has to stand by and write: what a pipe does not hold is a file.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        held = os.write(writer, data) == len(data)
    except BlockingIOError:
        held = False
    os.close(writer)
    source = os.fdopen(reader, "rb")
    if not held:
        source.close()
        source = tempfile.TemporaryFile()
        source.write(data)
        source.seek(0)
    return source


def _writer_unless_inherited(stream, fd):
    try:
        if stream.fileno() == fd:
            return None
    except Exception:  # no file, or none any more
        pass

    def write(text):
        stream.write(text)
        stream.flush()

    return write


def _pass_on(pairs):
    # Until all pipes are closed. Without threads: a program of the user's sees none that it has not started.
    with selectors.DefaultSelector() as selector:
        for pipe, write in pairs:
            if pipe is not None:
                decoder = codecs.getincrementaldecoder("utf-8")("replace")
                selector.register(pipe, selectors.EVENT_READ, (decoder, write))
        while selector.get_map():
            for key, _events in selector.select():
                decoder, write = key.data
                chunk = os.read(key.fd, _READ_BYTES)
                text = decoder.decode(chunk, not chunk)
                if text:
                    write(text)
                if not chunk:
                    selector.unregister(key.fileobj)


def _end(child):
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except OSError:
            pass
        until = time.monotonic() + _INTERRUPT_SECONDS
        while child.poll() is None and time.monotonic() < until:
            time.sleep(0.002)


def _is_offline():
    """Whether there is no way out: no route, and no proxy that was named."""
    if any(os.environ.get(name) for name in _OTHER_WAYS):
        return False
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_ELSEWHERE)  # sends nothing
        return False
    except OSError:
        return True
