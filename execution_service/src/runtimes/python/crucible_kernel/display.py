"""Results on their way to the worker: the main one, and those of display()."""

import sys

from .bundles import bounded, bundle_of


class Display:
    """Sends the results of the current run. `display` itself may be called from any thread."""

    def __init__(self):
        self._channel = None
        self._write_error = None
        self._run_id = None

    def attach(self, channel, write_error):
        """Names the channel for results and the writer for what goes wrong with them."""
        self._channel = channel
        self._write_error = write_error

    def begin(self, run_id):
        """From here on results belong to the run `run_id`."""
        self._run_id = run_id

    def main_result(self, value):
        """Sends the value of the program's last expression."""
        if not self._shown_by_itself(value):
            self._send(bundle_of(value, self._write_error), True)

    def show(self, *values, raw=False, **_options):
        """IPython's `display`: each value becomes a result; with `raw` each one is a bundle already.

        The other options of IPython steer a notebook's page (ids, clearing) and change nothing here.
        """
        for value in values:
            if raw:
                self.publish(value)
            elif not self._shown_by_itself(value):
                self._send(bundle_of(value, self._write_error), False)

    def publish(self, data, *_metadata, **_options):
        """IPython's `publish_display_data`: `data` maps MIME types to representations."""
        self._send(bounded(dict(data)), False)

    def failed(self, text):
        """Prints what went wrong while a result was made."""
        self._write_error(text)

    def _send(self, bundle, is_main):
        if self._channel is not None and self._channel.is_ours():
            self._channel.send({"event": "result", "id": self._run_id, "mime": bundle, "main": is_main})
        else:  # a forked child has no channel; IPython prints there as well
            print(bundle.get("text/plain", ""), file=sys.stdout)

    def _shown_by_itself(self, value):
        kind = type(value)
        method = getattr(kind, "_ipython_display_", None)
        # A bundle says more: plotly's own display looks for a notebook and fails without one.
        if not callable(method) or hasattr(kind, "_repr_mimebundle_"):
            return False
        method(value)
        return True


display = Display()
