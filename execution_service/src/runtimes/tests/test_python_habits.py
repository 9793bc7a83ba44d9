"""What programs expect of Python that were written elsewhere. Each test begins with the rule that was broken."""

import json
import os
import sys
import unittest

from kernel_driver import RUNTIMES, Kernel

PYTHON = os.environ.get("KERNEL_PYTHON", sys.executable)
COMMAND = [PYTHON, "-I", "-X", "utf8", os.path.join(RUNTIMES, "python", "kernel.py")]


class Habits(unittest.TestCase):
    def fresh(self):
        kernel = Kernel(COMMAND)
        self.addCleanup(kernel.__exit__)
        return kernel

    def once(self, code, **options):
        kernel = self.fresh()
        answer = kernel.once(code, **options)
        return answer, kernel.out, kernel.err

    def session(self, *runs):
        """stdout of each run, and the text of its value."""
        kernel = self.fresh()
        seen = []
        for code in runs:
            answer = kernel.run(code)
            self.assertEqual(answer.exit_code, 0, kernel.err)
            seen.append(kernel.out + (answer.main["text/plain"] if answer.main else ""))
        return seen


class EventLoop(Habits):
    """A script finds the event loop as the interpreter leaves it; a notebook finds one that is there."""

    def test_a_rehearsal_leaves_no_loop_and_no_number(self):
        code = ("import asyncio\nloop = asyncio.get_event_loop()\n"
                "async def f(): return asyncio.current_task().get_name()\nprint(loop.run_until_complete(f()))")
        self.assertEqual(self.once(code)[1], "Task-1\n")

    def test_asyncio_run_beside_a_top_level_await(self):
        code = "import asyncio\nasync def f(): return 1\nprint(asyncio.run(f()))\nprint(await f())\nprint(asyncio.run(f()))\nawait f()"
        answer, out, err = self.once(code)
        self.assertEqual((out, err, answer.main["text/plain"]), ("1\n1\n1\n", "", "1"))

    def test_what_the_program_drives_stays_in_its_loop(self):
        code = ("import asyncio\nasync def f(): return 2\nloop = asyncio.get_event_loop()\nt = loop.create_task(f())\n"
                "print(loop.run_until_complete(t))\nawait f()")
        self.assertEqual(self.once(code)[1:], ("2\n", ""))

    def test_a_task_of_one_run_is_awaited_in_the_next(self):
        seen = self.session(
            "import asyncio\nasync def f(): return 3\nloop = asyncio.get_event_loop()\nt = loop.create_task(f())", "await t",
            "t = asyncio.create_task(f())", "await t", "t = asyncio.ensure_future(f())", "await t")
        self.assertEqual(seen, ["", "3"] * 3)

    def test_each_run_finds_a_loop_whatever_the_last_one_did(self):
        ask = "asyncio.get_event_loop().run_until_complete(f())"
        seen = self.session("import asyncio\nasync def f(): return 4\nasyncio.run(f())", ask, "asyncio.get_event_loop().close()", ask)
        self.assertEqual(seen, ["4", "4", "", "4"])


class TheFile(Habits):
    """The program is a file: it can be read, started and imported, and its sources are found."""

    def test_it_is_there_while_it_is_asked_for_and_gone_afterwards(self):
        kernel = self.fresh()
        kernel.once("import os\nprint(open(__file__).read() == open('main.py').read(), len(os.listdir('.')))")
        self.assertEqual((kernel.out, os.listdir(kernel.home)), ("True 1\n", []))

    def test_a_program_that_does_not_ask_has_no_file_in_its_folder(self):
        self.assertEqual(self.once("import os\nprint(os.listdir('.'))")[1], "[]\n")

    def test_a_file_of_the_user_is_not_replaced(self):
        kernel = self.fresh()
        path = os.path.join(kernel.home, "main.py")
        with open(path, "w") as file:
            file.write("mine")
        kernel.once("print(open(__file__).read())")
        self.assertEqual((kernel.out, os.path.exists(path)), ("mine\n", True))

    def test_functions_and_classes_of_a_session_are_found_by_spawned_children(self):
        kernel = self.fresh()
        kernel.run("import multiprocessing as mp, math\nN = 10\nprint('once only')\n@staticmethod\ndef unused(): pass\n"
                   "def f(x): return math.floor(x) + N\nclass P:\n    def __init__(self, v): self.v = v")
        for method in ("spawn", "forkserver"):
            kernel.out
            answer = kernel.run("def g(p): return f(p.v)\nwith mp.get_context('%s').Pool(1) as pool: print(pool.map(g, [P(1.5)]))" % method)
            self.assertEqual((kernel.out, answer.exit_code), ("[11]\n", 0), kernel.err)

    def test_an_error_in_a_spawned_child_shows_the_line_of_its_run(self):
        kernel = self.fresh()
        kernel.run("import multiprocessing as mp\n\ndef f(x):\n    return 1 / x")
        kernel.run("with mp.get_context('spawn').Pool(1) as pool: pool.map(f, [0])")
        self.assertRegex(kernel.err, r'"cell_1.py", line 4, in f\n    return 1 / x')

    def test_sources_of_classes_over_runs(self):
        seen = self.session(
            "import inspect\nclass A:\n    x = 1\nclass B(A):\n    def m(self): pass",
            "print(inspect.getsource(A))", "class A:\n    y = 2", "print(inspect.getsource(A), inspect.getsourcelines(B)[1])")
        self.assertEqual(seen, ["", "class A:\n    x = 1\n\n", "", "class A:\n    y = 2\n 4\n"])

    def test_a_run_that_cannot_be_read_hides_no_source(self):
        kernel = self.fresh()
        kernel.run("import inspect\nclass A:\n    x = 1")
        self.assertEqual(kernel.run("class A:\n    x = = 2").exit_code, 1)
        kernel.err
        kernel.run("print(inspect.getsource(A))")
        self.assertEqual((kernel.out, kernel.err), ("class A:\n    x = 1\n\n", ""))

    def test_definitions_of_a_run_that_awaits_are_found_by_spawned_children(self):
        kernel = self.fresh()
        kernel.run("import asyncio, multiprocessing as mp\nawait asyncio.sleep(0)\ndef f(x): return x + 1")
        kernel.run("class A: x = = 2")
        kernel.run("with mp.get_context('spawn').Pool(1) as pool: print(pool.map(f, [0]))")
        self.assertEqual(kernel.out, "[1]\n", kernel.err)


class Lines(Habits):
    """Lines are counted as in a file: \\n, \\r\\n and \\r end one, and nothing else; the last one needs no end."""

    def test_the_quoted_line_is_the_failing_one(self):
        for before in ("s = '\x0c'", "s = '\u2028'", "s = '\x1c'", "s = '\x85'", "# \x0b\x1d\x1e"):
            answer, _out, err = self.once(before + "\ndef f():\n    return 1 / 0\nf()")
            self.assertIn('line 3, in f\n    return 1 / 0\n', answer.diagnostic["traceback"], repr(before))
            self.assertIn(answer.diagnostic["column"], (12, None))  # known since 3.11

    def test_other_line_ends(self):
        for end in ("\r\n", "\r"):
            answer, _out, err = self.once(end.join(["x = 1", "def f():", "    return x / 0", "f()"]))
            self.assertIn('line 3, in f\n    return x / 0\n', err)

    def test_the_value_behind_them(self):
        for code in ("a = '\u2028'; b = 1\n42", "\ufeff42", "# -*- coding: latin-1 -*-\n'\x0c' and 42", "x = '\x1d\x1e'\r\n42;\r\n42"):
            self.assertEqual(self.once(code)[0].main, {"text/plain": "42"}, repr(code))


class Environment(Habits):
    """A variable of the request acts as if it had been set before the interpreter started."""

    def test_time_zone(self):
        code = "import time, datetime\nprint(time.tzname[0], datetime.datetime.fromtimestamp(0).hour)"
        self.assertEqual(self.once(code, env={"TZ": "XYZ-3"})[1], "XYZ 3\n")
        kernel = self.fresh()
        kernel.run("import time", env={"TZ": "ABC-2"})
        self.assertEqual(kernel.run("time.tzname[0]").main["text/plain"], "'ABC'")

    def test_seed_of_hashes(self):
        import subprocess
        bare = subprocess.run([PYTHON, "-c", "print(hash('a'))"], env={"PYTHONHASHSEED": "5"}, capture_output=True, text=True)
        self.assertEqual(self.once("print(hash('a'))", env={"PYTHONHASHSEED": "5"})[1], bare.stdout)
        kernel = self.fresh()
        kernel.run("x = hash('a'); print(x)", env={"PYTHONHASHSEED": "5"})
        self.assertEqual((kernel.out, kernel.run("x == hash('a')", env={"PYTHONHASHSEED": "5"}).main["text/plain"]), (bare.stdout, "True"))

    def test_what_else_is_read_at_the_start(self):
        self.assertEqual(self.once("print(__debug__)\nassert 0", env={"PYTHONOPTIMIZE": "1"})[1], "False\n")
        self.assertIn("UserWarning: w", self.once("import warnings\nwarnings.warn('w')\nprint(1)", env={"PYTHONWARNINGS": "error"})[2])
        answer, out, _err = self.once("import sys\nprint('/lib/own' in sys.path, sys.argv)\ninput()",
                                      env={"PYTHONPATH": "/lib/own"}, args=["a"], stdin=b"in\n")
        self.assertEqual((out, answer.main["text/plain"]), ("True ['main.py', 'a']\n", "'in'"))


class Warnings(Habits):
    """A warning names the user's line and is shown by each run that causes it; nothing of ours is in a stack."""

    def test_each_run_shows_its_own(self):
        kernel = self.fresh()
        for number in (1, 2):
            kernel.run("import warnings\nwarnings.warn('w')")
            self.assertEqual(kernel.err, "cell_%d.py:2: UserWarning: w\n  warnings.warn('w')\n" % number)

    def test_a_level_above_the_program(self):
        self.assertEqual(self.once("import warnings\nwarnings.warn('w', stacklevel=2)")[2], "sys:1: UserWarning: w\n")

    def test_a_coroutine_that_is_dropped(self):
        kernel = self.fresh()
        kernel.run("async def f(): pass\nf()")
        self.assertIn("cell_1.py:2: RuntimeWarning: coroutine 'f' was never awaited\n  f()\n", kernel.err)

    def test_stacks_end_with_the_program(self):
        code = "import traceback, inspect\ntraceback.print_stack()\nprint(len(inspect.stack()))"
        self.assertEqual(self.once(code)[1:], ("1\n", '  File "main.py", line 2, in <module>\n    traceback.print_stack()\n'))

    def test_errors_of_finalizers_show_their_lines(self):
        err = self.once("class K:\n    def __del__(self):\n        {}[1]\nk = K()\ndel k\nk = K()")[2]
        self.assertEqual(err.count("    {}[1]\n"), 2, err)


class Modules(Habits):
    """A module that was rewritten is the one that is imported; one that was not keeps its state."""

    def test_reload_within_a_second(self):
        self.assertEqual(self.once(
            "import importlib\nopen('h.py', 'w').write('v = 1')\nimport h\nopen('h.py', 'w').write('v = 2')\n"
            "print(importlib.reload(h).v)\nimport os\nprint(os.listdir('.'))")[1], "2\n['h.py']\n")

    def test_rewritten_between_runs(self):
        self.assertEqual(self.session(
            "open('h.py', 'w').write('v = 1')\nimport h\nh.v", "open('h.py', 'w').write('v = 2')\nNone", "import h\nh.v",
            "h.v = 7", "import h\nh.v"), ["1", "", "2", "", "7"])

    def test_rewritten_in_a_package(self):
        self.assertEqual(self.session(
            "import os\nos.mkdir('p')\nopen('p/__init__.py', 'w').close()\nopen('p/m.py', 'w').write('v = 1')\nfrom p import m\nm.v",
            "open('p/m.py', 'w').write('v = 2')\nNone", "from p import m\nm.v"), ["1", "", "2"])

    def test_made_within_the_same_tick(self):
        runs = [run for n in range(20) for run in ("open('n%d.py', 'w').write('v = %d')\nNone" % (n, n), "import n%d\nn%d.v" % (n, n))]
        self.assertEqual(self.session(*runs)[1::2], [str(n) for n in range(20)])


class Display(Habits):
    """JSON is JSON; what is updated or cleared is there once, as it was last."""

    def test_numbers_that_json_does_not_know(self):
        code = "class J:\n    def __init__(self, v): self.v = v\n    def _repr_json_(self): return self.v\n"
        cycle = "a = []\na.append(a)\n"
        for value, expected in (("{'x': float('nan'), 'y': [-float('inf'), 1.5]}", {"x": None, "y": [None, 1.5]}),
                                ("{(1, 2): {3}, 4: b''}", {"(1, 2)": [3], "4": "b''"}), ("'text'", "text")):
            shown = self.once("%s%sJ(%s)" % (code, cycle, value))[0].main["application/json"]
            self.assertEqual(json.loads(shown, parse_constant=self.fail), expected)
        self.assertNotIn("application/json", self.once("%s%sJ(a)" % (code, cycle))[0].main)

    def test_a_result_that_is_updated(self):
        kernel = self.fresh()
        answer = kernel.run("h = display('0 %', display_id=True)\nfor n in (50, 100): h.update('%d %%' % n)\nh.display_id == h.display_id")
        self.assertEqual([mime["text/plain"] for mime in answer.shown], ["'100 %'"])

    def test_the_order_of_what_is_shown(self):
        kernel = self.fresh()
        answer = kernel.run("h = display(1, display_id='a')\ndisplay(2)\nh.update(3)\n4")
        self.assertEqual([result["mime"]["text/plain"] for result in answer.results], ["1", "2", "3", "4"])

    def test_a_failed_run_shows_what_it_had(self):
        kernel = self.fresh()
        self.assertEqual(len(kernel.run("display(1, display_id=True)\n1 / 0").shown), 1)

    def test_figures(self):
        kernel = self.fresh()
        if kernel.run("import matplotlib").exit_code != 0:
            print("skipped: test_figures (matplotlib is not importable)", file=sys.stderr)
            self.skipTest("no matplotlib")
        begin = "import matplotlib.pyplot as plt, os\nplt.figure()\nplt.close()\nplt.savefig('empty.png')\nplt.close()\n"
        begin += "empty = os.path.getsize('empty.png')\nplt.plot([1, 4, 2])\nplt.show()\n"
        for save in ("plt.savefig('c.png')", "plt.gcf().savefig('c.png')", "plt.plot([2]); plt.show(); plt.savefig('c.png')"):
            answer = kernel.run(begin + save + "\nprint(os.path.getsize('c.png') > 2 * empty)")
            self.assertEqual((kernel.out, len(answer.shown)), ("True\n", 1 + save.count("show")), kernel.err)
        self.assertEqual(kernel.run("plt.figure()\nNone").shown, [])

    def test_wide_tables(self):
        kernel = self.fresh()
        if kernel.run("import pandas as pd").exit_code != 0:
            print("skipped: test_wide_tables (pandas is not importable)", file=sys.stderr)
            self.skipTest("no pandas")
        kernel.run("print(pd.DataFrame([range(100000, 100025)]))")
        out = kernel.out
        self.assertEqual((out.count("\n"), "..." in out), (2, False), out)


class Hints(Habits):
    """What is missing is called by its name."""

    def test_names_of_hosts(self):
        found = self.once("import socket\nraise socket.gaierror(socket.EAI_AGAIN, 'x')")[0].diagnostic
        self.assertIn("network", found["hint"])


if __name__ == "__main__":
    unittest.main()
