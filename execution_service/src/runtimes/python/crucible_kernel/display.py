"""Results on their way to the worker: the main one, and those of display()."""

import sys

from . import data_forms
from .bundles import bounded, bundle_of, method_of
from .handles import DisplayHandle, new_id

# Of results that wait for what may take their place. More than a program shows at once.
_MOST_HELD = 32
# How long clear_output() may wait in a run until what it clears has been read, in seconds; it takes some 0.2 ms.
_PATIENCE = 2


class Display:
    """Sends the results of the current run. `display` itself may be called from any thread.

    A result cannot be taken back. One with a `display_id`, which the program may update, and those that follow
    a `clear_output()`, which it probably calls again, are therefore held until something else is shown or the run
    ends: of a progress that is told by either, the answer has the last state and not all of them.
    """

    def __init__(self):
        self._channel = None
        self._write_error = None
        self._run_id = None
        self._held = []
        self._clears = False
        self._capture = self._registered = None
        self._patience = 0

    def attach(self, channel, write_error):
        """Names the channel for results and the writer for what goes wrong with them."""
        self._channel = channel
        self._write_error = write_error

    def divert(self, publisher):
        """From here on results go to another publisher, one of IPython's; None: to the worker again."""
        self._capture = publisher

    def also(self, forms):
        """From here on results also have what `forms(value)` gives, by MIME type."""
        self._registered = forms

    def begin(self, run_id):
        """From here on results belong to the run `run_id`."""
        self._run_id = run_id
        self._patience = _PATIENCE
        self._held = []
        self._clears = False
        # An interrupt may have kept a `%%capture` from giving it back.
        self._capture = None
        data_forms.begin()

    def main_result(self, value):
        """Sends the value of the program's last expression."""
        if not self._shown_by_itself(value):
            self._send(self._bundle_of(value), True)

    def show(self, *values, raw=False, display_id=None, clear=False, **_options):
        """IPython's `display`: each value becomes a result; with `raw` each one is a bundle already.

        With a `display_id` (True: any) returns the handle to update it by. The other options of IPython steer a
        notebook's page and change nothing here.
        """
        if clear:
            self.clear(wait=True)
        if display_id is True:
            display_id = new_id()
        for value in values:
            self._show(value, raw, display_id)
        return DisplayHandle(self, display_id) if display_id is not None else None

    def update(self, value, *, display_id, raw=False, **_options):
        """IPython's `update_display`."""
        self._show(value, raw, display_id)

    def publish(self, data, *_metadata, transient=None, **_options):
        """IPython's `publish_display_data`: `data` maps MIME types to representations."""
        self._offer(bounded(dict(data)), (transient or {}).get("display_id"))

    def clear(self, wait=False):
        """IPython's `clear_output`, as far as nothing has been sent yet."""
        if self._capture is not None:
            self._capture.clear_output(wait)
            return
        self._held = []
        self._clears = True
        if self._channel is not None and self._channel.is_ours():
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()  # what was written before must not come after it
                except Exception:  # replaced or closed by the program
                    pass
            message = {"event": "result", "id": self._run_id, "mime": {}, "main": False}
            self._patience = self._channel.send_in_order(message, self._patience)

    def release(self):
        """Sends what is held. At the end of a run, and before anything else is sent."""
        held, self._held = self._held, []
        for _name, bundle in held:
            self._put(bundle, False)

    def failed(self, text):
        """Prints what went wrong while a result was made."""
        self._write_error(text)

    def _show(self, value, raw, display_id):
        if raw:
            self._offer(bounded(dict(value)), display_id)
        elif not self._shown_by_itself(value):
            self._offer(self._bundle_of(value), display_id)

    def _bundle_of(self, value):
        bundle = bundle_of(value, self._write_error)
        more = self._registered(value) if self._registered is not None else None
        return bounded({**bundle, **more}) if more else bundle

    def _offer(self, bundle, display_id):
        if not bundle:  # on the channel it would mean that all before it is cleared
            return
        if self._capture is not None:
            transient = {} if display_id is None else {"display_id": display_id}
            self._capture.publish(data=bundle, metadata={}, transient=transient)
            return
        if display_id is not None:
            for entry in self._held:
                if entry[0] == display_id:
                    entry[1] = bundle
                    return
        elif not self._clears:
            self._send(bundle, False)
            return
        self._held.append([display_id, bundle])
        if len(self._held) > _MOST_HELD:
            self.release()

    def _send(self, bundle, is_main):
        if self._held:
            self.release()
        self._put(bundle, is_main)

    def _put(self, bundle, is_main):
        if self._channel is not None and self._channel.is_ours():
            self._channel.send({"event": "result", "id": self._run_id, "mime": bundle, "main": is_main})
        else:  # a forked child has no channel; IPython prints there as well
            print(bundle.get("text/plain", ""), file=sys.stdout)

    def _shown_by_itself(self, value):
        method = method_of(value, "_ipython_display_")
        # A bundle says more: plotly's own display looks for a notebook and fails without one.
        if not callable(method) or method_of(value, "_repr_mimebundle_") is not None:
            return False
        method(value)
        return True


display = Display()
