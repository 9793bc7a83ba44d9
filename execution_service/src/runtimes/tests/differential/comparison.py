"""Compares: bare, stateless, and run by run in a session."""

import os
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from .allowed import ALLOWED
from .bare import bare
from .programs import programs

# As many programs as run side by side: most of them wait now and then.
_AT_ONCE = 4
_OF_AN_ANSWER = ("out", "err", "status")


def differences(program, expected, crucible):
    """What is not as bare: (mode, which) → (bare, ours). `crucible(runs, mode)` → Ended."""
    found = {}
    for mode, runs in crucible.modes(program):
        ours = crucible.run(program.language, runs, mode)
        for which in _OF_AN_ANSWER:
            pair = getattr(expected, which), getattr(ours, which)
            if pair[0] != pair[1]:
                found[mode, which] = pair
    return found


class Comparison(unittest.TestCase):
    """Of all programs of a language; those that are left out have been said."""

    def compare(self, language, command, version, crucible, path=None):
        wanted = os.environ.get("PROGRAMS", "").split()
        chosen = [each for each in programs(language) if not wanted or each.name in wanted]
        path = path or os.environ["PATH"]

        def answer(program):
            try:
                return differences(program, bare(program, command, path), crucible)
            except Exception as error:
                return error

        able = [program for program in chosen if program.since <= version]
        for program in chosen:
            if program not in able:
                print("skipped: %s of %s (needs %s)" % (program.name, language, program.since), file=sys.stderr)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for program, found in zip(able, pool.map(answer, able)):
                with self.subTest(program=program.name):
                    if isinstance(found, Exception):
                        raise found
                    self._judge(program, found, crucible)

    def _judge(self, program, found, crucible):
        key = program.language, program.name
        listed = [each[key] for each in (ALLOWED, crucible.also_allowed) if key in each]
        modes = {(mode, which) for modes, allowed, _because in listed for mode in modes for which in allowed}
        for (mode, which), (expected, ours) in found.items():
            if (mode, which) not in modes:
                self.assertEqual(ours, expected, "%s of %s" % (which, mode))
        # A difference that is gone is taken off the list.
        gone = not found and bool(modes) and crucible.is_all
        self.assertFalse(gone, "%s is as bare" % program.name)
