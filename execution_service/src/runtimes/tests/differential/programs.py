"""The programs: `LANGUAGE/THEME.txt`. `#### name` begins one, `#### name 3.11` one that needs that version of the
language; `# -- next run` (`// -- next run`) divides it into the runs of a session."""

import os
import re

_HERE = os.path.dirname(os.path.abspath(__file__))
_HEAD = re.compile(r"^#### (\w+)(?: (\d+(?:\.\d+)?))?\n", re.MULTILINE)
_DIVIDER = re.compile(r"^(?:#|//) -- next run\n", re.MULTILINE)


class Program:
    def __init__(self, language, name, since, text):
        self.language = language
        self.name = name
        self.since = tuple(int(part) for part in since.split(".")) if since else ()
        self.whole = _DIVIDER.sub("", text)
        # Each begins at the line where it is in the whole, as messages name lines.
        self.runs, before = [], 0
        for run in _DIVIDER.split(text):
            self.runs.append("\n" * before + run)
            before += run.count("\n")


def programs(language):
    """All programs of a language; a name is there once."""
    found = {}
    folder = os.path.join(_HERE, language)
    for theme in sorted(os.listdir(folder)):
        with open(os.path.join(folder, theme), encoding="utf-8", newline="") as file:
            parts = _HEAD.split(file.read())
        assert not parts[0], "%s begins with no head" % theme
        for name, since, text in zip(parts[1::3], parts[2::3], parts[3::3]):
            assert name not in found, "%s is there twice" % name
            found[name] = Program(language, name, since, text)
    return list(found.values())
