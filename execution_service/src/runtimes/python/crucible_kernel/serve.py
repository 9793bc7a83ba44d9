"""The loop between the worker and the user's code."""

import os
import sys

from . import restart
from .display import display
from .shutdown import shut_down
from .interrupts import interrupts
from .ipython.shell import shell
from .warmup import warm_up
from .session import Session
from .streams import Streams

_exit_now = os._exit
_INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def serve(channel, is_ready=False):
    """Serves runs until the worker hangs up; returns the value for sys.exit(). A stateless run ends the
    process itself. `is_ready`: the worker has been told already, and is waiting for an answer."""
    streams = Streams()
    display.attach(channel, streams.write_error)
    warm_up(streams)
    if not is_ready:
        channel.send({"event": "ready"})
    session = None
    while True:
        try:
            request = channel.receive()
        except OSError:  # the user's code closed our descriptor: nobody can be served any more
            return 1
        except BaseException:  # raised by a signal handler that the user's code left behind
            continue
        if request is None:
            return 0
        if session is None and not is_ready and restart.is_needed(request):
            restart.restart(channel, request)
        if request["mode"] == "once":
            _run_once(channel, streams, request)
        if session is None:
            session = Session(streams)
        outcome = session.run(request)
        streams.flush()
        if not channel.is_ours():  # a child of os.fork() that left the user's code
            return outcome.exit_value
        _send_done(channel, request, outcome)


def _run_once(channel, streams, request):
    # Never returns.
    session = Session(streams, request["file"])
    outcome, file = session.run(request), session.file
    del session
    shell.detach()  # nothing of ours holds what is in the program's names when it ends
    streams.flush()
    if channel.is_ours():
        _send_done(channel, request, outcome)
    if outcome.interrupted:
        file.remove()
        _exit_now(_INTERRUPTED)  # other threads may never end
    # The interpreter now joins threads and runs exit hooks; an interrupt must not wait for those.
    interrupts.replace(lambda _signum, _frame: (streams.flush(), _exit_now(_INTERRUPTED)))
    shut_down(outcome.exit_value, lambda status: _send_exit(channel, file, request, status))


def _send_exit(channel, file, request, status):
    file.remove()
    if channel.is_ours():
        channel.send({"event": "exit", "id": request["id"], "exit_code": status})


def _send_done(channel, request, outcome):
    channel.send({
        "event": "done",
        "id": request["id"],
        "exit_code": outcome.exit_code,
        "diagnostic": outcome.diagnostic,
        "interrupted": outcome.interrupted,
    })
