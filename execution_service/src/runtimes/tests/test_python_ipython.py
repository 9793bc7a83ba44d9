"""What only IPython can do, in the Python kernel. Without IPython in `KERNEL_PYTHON` or in the environment
`CRUCIBLE_TEST_PYTHON` only what is said without it is tested."""

import glob
import json
import os
import subprocess
import sys
import time
import unittest

from kernel_driver import RUNTIMES, Kernel


def _python():
    rich = os.environ.get("CRUCIBLE_TEST_PYTHON")
    candidates = [os.environ.get("KERNEL_PYTHON"), rich and os.path.join(rich, "bin", "python3"), sys.executable]
    for python in filter(None, candidates):
        if subprocess.run([python, "-I", "-c", "import IPython"], capture_output=True).returncode == 0:
            return python
    return None


KERNEL = os.path.join(RUNTIMES, "python", "kernel.py")
PYTHON = _python()


def has(module):
    return subprocess.run([PYTHON, "-I", "-c", "import " + module], capture_output=True).returncode == 0


class Ran:
    """One run: what it answered, and what it wrote."""

    def __init__(self, answer, out, err):
        self.answer, self.out, self.err = answer, out, err

    @property
    def value(self):
        return (self.answer.main or {}).get("text/plain")

    @property
    def shown(self):
        return [mime.get("text/plain") for mime in self.answer.shown]

    @property
    def found(self):
        return self.answer.diagnostic


class WithIPython(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if PYTHON is None:
            print("skipped: %s (no IPython)" % cls.__name__, file=sys.stderr)
            raise unittest.SkipTest("no IPython")

    def kernel(self, python=None, **variables):
        kernel = Kernel([python or PYTHON, "-I", "-X", "utf8", KERNEL], variables)
        self.addCleanup(kernel.__exit__)
        return kernel

    def session(self, *cells, kernel=None, **options):
        """The runs of one session, each without an error unless the last one has it."""
        kernel = kernel or self.kernel()
        ran = []
        for code in cells:
            ran.append(Ran(kernel.run(code, **options), kernel.out, kernel.err))
        for code, run in zip(cells, ran[:-1]):
            self.assertEqual(run.answer.exit_code, 0, (code, run.err))
        return ran

    def cell(self, *cells, **options):
        """The last of them, which succeeds as well."""
        ran = self.session(*cells, **options)[-1]
        self.assertEqual(ran.answer.exit_code, 0, ran.err)
        return ran

    def once(self, code, status=0, **options):
        kernel = self.kernel()
        answer = kernel.once(code, **options)
        ran = Ran(answer, kernel.out, kernel.err)
        self.assertEqual(kernel.process.returncode, status, ran.err)
        return ran


class Magics(WithIPython):
    """A magic does what it does in a notebook."""

    def test_values(self):
        ran = self.session("%pwd", "x = %pwd\nx == _1", "%env A=1\n%env A", "%timeit -n 1 -r 1 -q -o 1\n_ is None", "%time 6 * 7",
                           "%precision 3", "def f(n):\n    if n:\n        %time n\n    return n\nf(3)")
        self.assertTrue(ran[0].value.endswith("/home'"))
        self.assertEqual([run.value for run in ran[1:3] + ran[4:5] + ran[6:]], ["True", "'1'", "42", "3"])

    def test_cells(self):
        ran = self.session("%%time\ny = 3\ny + 4", "y", "%%timeit -n 2 -r 1\nz = y", "%%writefile d.txt\none\ntwo\n", "open('d.txt').read()",
                           "%%html\n<b>x</b>", "%%javascript\nf()", "%%prun -q\nw = 1", "w")
        self.assertEqual(ran[0].value, "7")
        self.assertIn("Wall time: ", ran[0].out)
        self.assertIn(" per loop (mean ± std. dev. of 1 run, 2 loops each)", ran[2].out)
        self.assertEqual([run.value for run in (ran[1], ran[4], ran[8])], ["3", "'one\\ntwo\\n'", "1"])
        self.assertEqual(ran[5].answer.shown[0]["text/html"], "<b>x</b>\n")
        self.assertEqual(ran[6].answer.shown[0]["application/javascript"], "f()\n")

    def test_capture(self):
        ran = self.session("%%capture c\nprint('in')\n!echo child\n%pwd\ndisplay(1)\n2", "c.stdout, [output.data for output in c.outputs]", "c.show()\n3")
        self.assertEqual((ran[0].out, ran[0].answer.results), ("", []))
        self.assertEqual(ran[1].value, "('in\\nchild\\n', [{'text/plain': '1'}, {'text/plain': '2'}])")
        self.assertEqual((ran[2].out, ran[2].shown, ran[2].value), ("in\nchild\n", ["1", "2"], "3"))

    def test_run_takes_names_over(self):
        files = "open('s.py', 'w').write('import sys\\nvalue = 41\\ndef f(): return value + 1\\nprint(__name__, sys.argv[1:])')\nNone"
        ran = self.session(files, "%run s.py a 'b c'", "f(), __name__")
        self.assertEqual((ran[1].out, ran[2].value), ("__main__ ['a', 'b c']\n", "(42, '__main__')"))

    def test_where_the_session_is(self):
        ran = self.session("import os\nos.mkdir('d')\nopen('d/m.py', 'w').write('v = 5')\nNone", "%cd d", "import m\nm.v, os.path.basename(os.getcwd())",
                           "%cd -q ..", "%cd -", "os.path.basename(os.getcwd())", "%env LATER=1", "!echo $LATER")
        self.assertEqual([ran[n].value for n in (2, 5)], ["(5, 'd')", "'d'"])
        self.assertEqual((ran[3].out, ran[7].out), ("", "1\n"))

    def test_names(self):
        ran = self.session("a = 1\nb = 'x'", "%who", "%whos", "%who_ls", "%reset -f", "sorted(name for name in globals() if name[0] != '_')")
        self.assertEqual(ran[1].out.split(), ["a", "b"])
        self.assertIn("a          int     1", ran[2].out)
        self.assertEqual([ran[3].value, ran[5].value], ["['a', 'b']", "[]"])

    def test_help(self):
        ran = self.session("def f(a, b=2):\n    '''Adds.'''\n    return a + b", "f?", "?f", "f??", "str.*find?", "nothing_here?")
        for run in ran[1:3]:
            self.assertIn("Signature: f(a, b=2)\nDocstring: Adds.\n", run.out)
        self.assertIn("    return a + b\n", ran[3].out)
        self.assertEqual(ran[4].out, "str.find\nstr.rfind\n")
        self.assertEqual(ran[5].out, "Object `nothing_here` not found.\n")
        self.assertNotIn("\x1b", "".join(run.out for run in ran))

    def test_magics_of_the_users_own(self):
        begin = "from IPython.core.magic import register_line_magic, register_cell_magic\n@register_line_magic\ndef hello(line): return 'hello ' + line\n"
        begin += "@register_cell_magic\ndef count(line, cell): return len(cell.split())"
        ran = self.session(begin, "%hello you", "%%count\na b\nc")
        self.assertEqual([run.value for run in ran[1:]], ["'hello you'", "3"])

    def test_extensions_see_every_run(self):
        one, two = ("open('m.py', 'w').write('def f(): return %d')\nNone" % number for number in (1, 2))
        ran = self.session(one, "%load_ext autoreload\n%autoreload 2\nimport m\nkept = m.f", "m.f()", "import time; time.sleep(0.01)", two, "m.f()")
        self.assertEqual([ran[2].value, ran[5].value], ["1", "2"])

    def test_every_expression_on_demand(self):
        for ask in ("from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = 'all'",
                    "%config InteractiveShell.ast_node_interactivity = 'all'"):
            ran = self.session(ask, "1\nx = 2\nNone\nx\n'last'")[-1]
            self.assertEqual((ran.shown, ran.value), (["1", "2"], "'last'"))

    def test_prompts_and_first_words(self):
        ran = self.session(">>> x = 1\n>>> x + 1\n", "In [1]: x = 5\n   ...: x", "  x = 6\n  %time x", "pwd", "ls -a\n", "mkdir d", "cd d", "history = 3\nhistory")
        self.assertEqual([ran[n].value for n in (0, 1, 2, 7)], ["2", "5", "6", "3"])
        self.assertTrue(ran[3].value.endswith("/home'"))

    def test_a_stateless_program(self):
        self.assertEqual(self.once("x = 2\n%time x + 1").value, "3")
        ran = self.once("%%bash\necho $((6 * 7))")
        self.assertEqual((ran.out, ran.err, ran.value), ("42\n", "", None))
        ran = self.once("import atexit\nclass A:\n    def __del__(self): print('del')\na = A()\natexit.register(lambda: print('exit', x))\nx = !echo 1\nNone")
        self.assertEqual((ran.out, ran.err), ("exit ['1']\ndel\n", ""))
        self.assertEqual(self.once("!exit 3\nraise SystemExit(_exit_code)", status=3).found["name"], "ExitStatus")

    def test_figures(self):
        if not has("matplotlib"):
            print("skipped: test_figures (matplotlib is not importable)", file=sys.stderr)
            self.skipTest("no matplotlib")
        ran = self.session("%matplotlib inline\n%config InlineBackend.figure_format = 'retina'\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
                           "%%time\nplt.plot([1, 2]);", "%%capture c\nplt.plot([1, 2])\nNone", "len(c.outputs)", "import matplotlib\nmatplotlib.get_backend().lower()")
        self.assertEqual(["image/png" in run.answer.shown[0] for run in ran[:2]], [True, True])
        self.assertEqual((ran[2].answer.results, ran[3].value, ran[4].value), ([], "1", "'agg'"))
        self.assertIn("There is no screen for qt", self.cell("%matplotlib qt").err)


class Commands(WithIPython):
    """Commands are the sandbox's shell's, and what they write is the run's."""

    def test_status_and_streams(self):
        ran = self.session("!echo out; echo err >&2; (exit 3)", "_exit_code", "!kill -9 $$\n_exit_code", "x = !printf 'a\\nb'; exit 4\nx, x.n, _exit_code", "!!echo 1", "!echo ${BASH_VERSION:+bash}")
        self.assertEqual((ran[0].out, ran[0].err, ran[0].answer.exit_code), ("out\n", "err\n", 0))
        self.assertEqual([run.value for run in ran[1:5]], ["3", "-9", "(['a', 'b'], 'a\\nb', 4)", "['1']"])
        self.assertEqual(ran[5].out, "bash\n")

    def test_order_with_what_the_program_prints(self):
        self.assertEqual(self.cell("import sys\nsys.stdout.write('1 ')\n!printf '2 '\nprint(3)").out, "1 2 3\n")

    def test_it_streams(self):
        kernel = self.kernel()
        kernel.run("%pwd")
        kernel.start("!echo begun; read line < gate; echo $line")
        os.mkfifo(os.path.join(kernel.home, "gate")) if not os.path.exists(os.path.join(kernel.home, "gate")) else None
        seen = ""
        until = time.monotonic() + 20
        while "begun" not in seen and time.monotonic() < until:
            seen += kernel.out
            time.sleep(0.005)
        self.assertEqual(seen, "begun\n")
        kernel.interrupt()
        self.assertEqual(kernel.finish().exit_code, 130)

    def test_names_of_the_program(self):
        self.assertEqual(self.cell("n = 'a b'\ndef f(k):\n    !echo {k + 1} $n $$HOME_NOT\nf(1)").out, "2 a b\n")

    def test_input_is_that_of_the_run(self):
        self.assertEqual(self.cell("!cat", stdin=b"given").out, "given")

    def test_scripts(self):
        ran = self.session("%%bash --out o --err e\necho $0 out; echo err >&2", "o, e", "%%script --no-raise-error sh\nexit 4", "%%bash --bg --proc p --out pipe\necho later",
                           "pipe.read(), p.wait()", "%%script no-such-program\nx", "x = 1\n!echo $x")
        self.assertEqual([ran[1].value, ran[4].value], ["('bash out\\n', 'err\\n')", "(b'later\\n', 0)"])
        self.assertEqual((ran[5].out, ran[6].out), ("Couldn't find program: 'no-such-program'\n", "1\n"))
        self.assertEqual(self.cell("%%bash\nexit 0\nthis is not read").out, "")
        self.assertEqual(self.cell("%%script wc -c\n" + "x" * (1 << 20)).out.strip(), str((1 << 20) + 1))

    def test_a_script_that_fails(self):
        ran = self.session("1", "%%bash\necho before; exit 3")[-1]
        self.assertEqual((ran.out, ran.found["name"], ran.found["line"]), ("before\n", "CalledProcessError", 1))
        self.assertIn("returned non-zero exit status 3", ran.found["message"])

    def test_an_interrupt_ends_the_command(self):
        for code in ("!sleep 1000", "%%bash\ntrap '' INT\nsleep 1000", "x = !sleep 1000"):
            kernel = self.kernel()
            kernel.run("%pwd")
            kernel.start("open('here', 'w').close()\n" + code if not code.startswith("%%") else code)
            time.sleep(0.3)
            begun = time.monotonic()
            kernel.interrupt()
            answer = kernel.finish()
            self.assertEqual((answer.exit_code, answer.done["interrupted"]), (130, True), code)
            self.assertLess(time.monotonic() - begun, 5)
            self.assertEqual(kernel.run("!pgrep -g $(cat /proc/self/stat | cut -d' ' -f5) sleep; echo").exit_code, 0)

    def test_no_network(self):
        if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0:
            print("skipped: test_no_network (no network namespace to be had)", file=sys.stderr)
            self.skipTest("no unshare")
        kernel = Kernel(["unshare", "-rn", PYTHON, "-I", "-X", "utf8", KERNEL])
        self.addCleanup(kernel.__exit__)
        for code in ("%pip install no-such-package-of-ours", "!pip install no-such-package-of-ours", "pip install no-such-package-of-ours"):
            begun = time.monotonic()
            ran = self.session(code, "_exit_code", kernel=kernel)
            self.assertIn("There is no network here", ran[0].err)
            self.assertIn("PYTHON_ENVIRONMENT", ran[0].err)
            self.assertNotEqual(ran[1].value, "0")
            self.assertLess(time.monotonic() - begun, 20)  # pip alone tries for longer


class Traces(WithIPython):
    """Lines, columns and sources are the user's; nothing of the kernel or of IPython shows."""

    def assertPlace(self, ran, name, line, column=None):
        self.assertEqual((ran.found["name"], ran.found["line"]), (name, line), ran.err)
        if column is not None and ran.found["column"] is not None:
            self.assertEqual(ran.found["column"], column)
        for word in ("crucible", "site-packages", "IPython/", "get_ipython", "\x1b"):
            self.assertNotIn(word, ran.err)

    def last(self, *cells, **options):
        return self.session(*cells, **options)[-1]

    def test_lines_and_columns(self):
        kernel = self.kernel()
        for code, line, column in (
            ("%pwd\nx = 1 / 0", 2, 5), ("\n\n%pwd\n1 / 0", 4, 1), ("!true \\\n  a \\\n  b\n\n1 / 0", 5, 1), ("%%time\nx = 1\n\nx / 0", 4, 1),
            ("x = 1\n%time x + 1 / 0", 2, 11), ("\n%%time\n1 / 0", 3, 1), ("%%capture\nx = 1\n1 / 0", 3, 1), ("%%time\n%pwd\nx = 1 / 0", 3, 5),
            (">>> %pwd\n>>> 1 / 0", 2, 5), ("    %pwd\n    1 / 0", 2, 5), ("x = '\u2028'\n%pwd\n1 / 0", 3, 1), ("%%timeit -n 1 -r 1\nx = 1\n1 / 0", 3, 1),
            ("def f():\n    !true\n    return 1 / 0\n%time f()", 3, 12), ("%pwd\n'é'; 1 / 0", 2, 6),
        ):
            self.assertPlace(self.last(code, kernel=kernel), "ZeroDivisionError", line, column)

    def test_the_traceback_quotes_the_user(self):
        ran = self.last("x = 1\n%time undefined + x")
        self.assertIn('File "cell_1.py", line 2, in <module>\n    %time undefined + x\n', ran.err)
        if "^" in ran.err:  # Python 3.11
            self.assertTrue(ran.err.endswith("\n          ^^^^^^^^^\nNameError: name 'undefined' is not defined\n"), ran.err)

    def test_syntax_errors(self):
        kernel = self.kernel()
        for code, line, column in (("%pwd\nx = = 1", 2, 5), ("%%time\nx = 1\ny = = 1", 3, 5), ("%pwd\ndef f(:\n  pass", 2, None), ("%time x = = 1", 1, None)):
            ran = self.last(code, kernel=kernel)
            self.assertPlace(ran, "SyntaxError", line, column)
        ran = self.last("%pwd\nx = = 1", kernel=kernel)
        self.assertIn("    x = = 1\n        ^\n", ran.err)
        self.assertEqual(ran.found["kind"], "syntax")

    def test_errors_of_magics(self):
        kernel = self.kernel()
        for code, name, message in (
            ("x = 1\n%no_such_magic a", "UsageError", "Line magic function `%no_such_magic` not found"), ("\n%%no_such_cell\nx", "UsageError", "not found"),
            ("1\n%env NO_SUCH", "UsageError", "NO_SUCH"), ("1\n%run no_such.py", "Exception", "not found"), ("1\n%load_ext no_such_ext", "ModuleNotFoundError", "no_such_ext"),
        ):
            ran = self.last(code, kernel=kernel)
            self.assertPlace(ran, name, 2)
            self.assertIn(message, ran.found["message"])
            self.assertEqual(ran.err.count("Traceback"), 1, ran.err)

    def test_a_cell_magic_below_the_first_line(self):
        self.assertIn("first line", self.last("# how long\n%%time\n1").found["hint"])

    def test_an_ipython_that_cannot_be_loaded(self):
        ran = self.last("open('traitlets.py', 'w').write('raise ValueError(5)')\nNone", "%pwd")
        self.assertPlace(ran, "SyntaxError", 1)
        self.assertIn("cannot be loaded (ValueError: 5)", ran.found["hint"])

    def test_a_file_that_fails(self):
        ran = self.last("open('s.py', 'w').write('x = 1\\ndef f():\\n    raise KeyError(x)\\nf()\\n')\nNone", "%run s.py")
        self.assertPlace(ran, "KeyError", 3)
        self.assertEqual(ran.found["file"], "s.py")
        self.assertEqual(self.last("open('s.py', 'w').write('raise SystemExit(4)')\nNone", "%run s.py").answer.exit_code, 4)

    def test_sources(self):
        ran = self.cell("%pwd\nclass A:\n    def f(self):\n        !true\n        return 1\ndef g():\n    return 2", "%%time\ndef h():\n    return 3",
                        "import inspect\nprint(inspect.getsource(A), inspect.getsource(A.f), inspect.getsource(g), inspect.getsource(h))")
        for text in ("class A:\n    def f(self):\n        !true\n", "    def f(self):\n        !true\n        return 1\n", "def g():\n    return 2\n", "def h():\n    return 3\n"):
            self.assertIn(text, ran.out)

    def test_children_of_a_pool(self):
        define = "%pwd\ndef f(n):\n    return n + 1\nimport multiprocessing\n"
        pool = "if __name__ == '__main__':\n    with multiprocessing.get_context('spawn').Pool(1) as p:\n        print(p.map(f, [1]))\n"
        self.assertEqual(self.cell(define, pool).out, "[2]\n")
        self.assertEqual(self.once(define + pool).out, "[2]\n")

    def test_await(self):
        self.assertIn("%%time", self.last("%%time\nawait f()").found["hint"])
        self.assertEqual(self.cell("import asyncio\n%pwd\nx = await asyncio.sleep(0, 5)\nx").value, "5")
        self.assertEqual(self.cell("%%capture c\nimport asyncio\nx = await asyncio.sleep(0, 5)\nx", "x, c.outputs[0].data['text/plain']").value, "(5, '5')")

    def test_nothing_is_left(self):
        look = "import sys, threading, signal, builtins\nsys.displayhook.__module__, sys.excepthook.__module__, hasattr(sys, 'ps1'), len(threading.enumerate()), signal.getsignal(2).__qualname__, exit"
        names = "sorted(globals())"
        plain = [run.value for run in self.session(look, names)]
        ran = self.session("%pwd", "%%bash\ntrue", "%%time\n1", look, names)
        self.assertEqual([ran[3].value, ran[4].value], plain)

    def test_nothing_is_written(self):
        kernel = self.kernel()
        self.assertEqual(self.cell("type(get_ipython().history_manager.db).__name__", kernel=kernel).value, "'DummyDB'")
        self.session("%pwd\n!true\nlen?", "%history", "%cd /tmp", "%bookmark x", kernel=kernel)
        self.assertEqual(glob.glob(kernel.home + "/*") + glob.glob(kernel.home + "/.*") + glob.glob(os.path.dirname(kernel.home) + "/.ip*"), [])


class Values(WithIPython):
    """`Out`, `In` and underscores, before and after the shell is there."""

    def test_values_of_runs(self):
        ran = self.session("6 * 7", "x = 1", "'two'", "_, __, _1, Out[1], Out, In[1]", "%pwd\n_3, Out[3], len(In)", "get_ipython().execution_count, _ih[1], _oh[1]")
        self.assertEqual(ran[3].value, "('two', 42, 42, 42, {1: 42, 3: 'two'}, '6 * 7')")
        self.assertEqual([run.value for run in ran[4:]], ["('two', 'two', 6)", "(6, '6 * 7', 42)"])

    def test_names_of_the_user_go_before(self):
        ran = self.session("1", "_ = 'mine'\nOut = []\n_1 = 'too'", "2", "_, Out, _1")
        self.assertEqual(ran[3].value, "('mine', [], 'too')")

    def test_many_values(self):
        ran = self.session(*["%d" % n for n in range(105)], "len(Out), 1 in Out, Out[105], '_1' in dir(__builtins__)")
        self.assertEqual(ran[-1].value, "(100, False, 104, False)")

    def test_history(self):
        ran = self.session("x = 1", "%time x", "%history", "%rerun 1")
        self.assertEqual(ran[2].out, "x = 1\n%time x\n%history\n")

    def test_the_shell_by_name(self):
        ran = self.session("ip = get_ipython()\nip.run_line_magic('env', 'A=5'); ip.system('echo $A')", "ip.run_cell('y = 4; y')\ny", "ip.magic('who_ls')", "ip.getoutput('echo 1')",
                           "from IPython import get_ipython as g\ng() is ip", "ip.run_cell('1/0').success")
        self.assertEqual((ran[0].out, ran[1].shown), ("env: A=5\n5\n", ["4"]))
        self.assertEqual([run.value for run in ran[1:]], ["4", "['ip', 'y']", "['1']", "True", "False"])
        self.assertIn("ZeroDivisionError", ran[5].err)


class WithoutIPython(unittest.TestCase):
    """What is missing is named."""

    def found(self, code):
        # Nothing of site-packages: whatever Python this is, it has no IPython.
        kernel = Kernel([sys.executable, "-I", "-S", "-X", "utf8", KERNEL])
        self.addCleanup(kernel.__exit__)
        answer = kernel.run(code)
        self.assertNotEqual(answer.exit_code, 0)
        return answer.diagnostic

    def test_hints(self):
        for code in ("%matplotlib inline", "x = 1\n%%time\nx", "!ls", "files = !ls", "len?", "?len", "get_ipython().run_line_magic('pwd', '')", "x = %pwd"):
            self.assertIn("IPython, which is not installed here", self.found(code)["hint"] or "", code)
        self.assertIn("%pip install", self.found("import os\npip install x")["hint"])
        for code in ("```python\nx = 1\n```", "~~~\nx = 1\n~~~"):
            self.assertIn("Markdown fences", self.found(code)["hint"])

    def test_values_are_there(self):
        kernel = Kernel([sys.executable, "-I", "-S", "-X", "utf8", KERNEL])
        self.addCleanup(kernel.__exit__)
        kernel.run("41")
        self.assertEqual(kernel.run("_1 + 1, Out, In[1]").main["text/plain"], "(42, {1: 41}, '41')")


if __name__ == "__main__":
    unittest.main()
