"""The modules of a kernel import each other without a circle."""

import glob
import os
import re
import unittest

from kernel_driver import RUNTIMES

PACKAGES = (
    ("python/crucible_kernel", ".py", r"^\s*from \.(\w+) import|^\s*from \. import ([\w, ]+)"),
    ("python/crucible_zygote", ".py", r"^\s*from \.(\w+) import|^\s*from \. import ([\w, ]+)"),
    ("node/kernel", ".cjs", r"require\('\./([\w-]+)\.cjs'\)"),
    ("typescript", ".cjs", r"(?:require|load)\('\./([\w-]+)\.cjs'"),
)


def imports(folder, ending, pattern):
    """Module → those of the same folder that it imports, wherever in the file."""
    graph = {}
    for path in glob.glob(os.path.join(RUNTIMES, folder, "*" + ending)):
        with open(path, encoding="utf-8") as file:
            found = re.findall(pattern, file.read(), re.MULTILINE)
        texts = found if ending == ".cjs" else ["%s,%s" % pair for pair in found]
        graph[os.path.basename(path)[: -len(ending)]] = {
            name.strip() for text in texts for name in text.split(",") if name.strip()
        }
    return graph


def circle(graph):
    """The modules that are left when those whose imports are all gone are taken away, again and again."""
    left = dict(graph)
    while True:
        free = [name for name, needed in left.items() if not needed & set(left)]
        if not free:
            return sorted(left)
        for name in free:
            del left[name]


class Imports(unittest.TestCase):
    def test_without_a_circle(self):
        for folder, ending, pattern in PACKAGES:
            with self.subTest(folder):
                graph = imports(folder, ending, pattern)
                self.assertTrue(any(graph.values()), "no import was recognised")
                self.assertEqual(circle(graph), [])

    def test_a_circle_is_found(self):
        self.assertEqual(circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}), ["a", "b", "c"])


if __name__ == "__main__":
    unittest.main()
