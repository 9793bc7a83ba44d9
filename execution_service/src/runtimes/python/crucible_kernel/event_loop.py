"""The event loop of a program's top-level await.

A session has one, which stands still between runs; it is the current loop of the main thread, so that
`get_event_loop()`, `ensure_future()` and `Future()` of a run without await mean the same one. Nothing here
makes a loop, or touches the policy, for a program that awaits nothing.
"""

import sys

_eval = eval
_CO_COROUTINE = 0x80
# Given, because a task without a name takes the next number, and the program's own begin with 1.
_TASK = "main"


class EventLoop:
    """Made when a program first needs it."""

    def __init__(self):
        self._loop = None

    def begin(self):
        """Before a run of a session, which finds what a script does: `asyncio.run()` in an earlier one has left it
        without a current loop, or that loop has been closed."""
        asyncio = sys.modules.get("asyncio")
        local = getattr(_policy(asyncio), "_local", None) if hasattr(asyncio, "events") else None
        if getattr(local, "_set_called", False) and (local._loop is None or local._loop.is_closed()):
            local._loop, local._set_called = None, False

    def run(self, codes, namespace):
        """Runs code objects one after the other in one task. Returns the value of the last one."""
        import asyncio

        loop = self._loop = self._usable(asyncio)
        task = loop.create_task(_awaited(codes, namespace), name=_TASK)
        try:
            return loop.run_until_complete(task)
        except BaseException:
            if not task.done():
                task.cancel()
                loop.run_until_complete(asyncio.wait([task]))
            if not task.cancelled():
                task.exception()  # marks it as seen: no warning when it is collected
            raise

    def close(self):
        """Ends what is left as asyncio.run() does: for a program whose only loop this was."""
        loop, self._loop = self._loop, None
        if loop is None or loop.is_closed():
            return
        import asyncio

        try:
            asyncio.runners._cancel_all_tasks(loop)
            loop.run_until_complete(loop.create_task(loop.shutdown_asyncgens(), name=_TASK))
            if hasattr(loop, "shutdown_default_executor"):  # 3.9
                loop.run_until_complete(loop.create_task(loop.shutdown_default_executor(), name=_TASK))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def _usable(self, asyncio):
        # What the program has made current itself, with the tasks that it left there, comes first.
        current = getattr(getattr(_policy(asyncio), "_local", None), "_loop", None)
        for loop in (current, self._loop):
            if loop is not None and not loop.is_closed():
                break
        else:
            loop = asyncio.new_event_loop()
        if loop is not current:
            asyncio.set_event_loop(loop)
        return loop


def leave_no_trace(asyncio):
    """After a rehearsal: as if no loop had ever been current."""
    asyncio.events._event_loop_policy = None


def _policy(asyncio):
    return asyncio.events._event_loop_policy


async def _awaited(codes, namespace):
    # One task for all of them: they share its context, and the last expression finds a running loop.
    value = None
    for code in codes:
        value = _eval(code, namespace)
        if code.co_flags & _CO_COROUTINE:
            value = await value
    return value
