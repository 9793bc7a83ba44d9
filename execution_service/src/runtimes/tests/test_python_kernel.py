"""The Python kernel. `KERNEL_PYTHON` names another interpreter than the one that runs the tests."""

import json
import os
import subprocess
import sys
import time
import unittest

from kernel_driver import RUNTIMES, Kernel

PYTHON = os.environ.get("KERNEL_PYTHON", sys.executable)
COMMAND = [PYTHON, "-I", "-X", "utf8", os.path.join(RUNTIMES, "python", "kernel.py")]


def has(module):
    return subprocess.run([PYTHON, "-I", "-c", "import " + module], capture_output=True).returncode == 0


class PythonCase(unittest.TestCase):
    def setUp(self):
        self.kernel = Kernel(COMMAND)
        self.addCleanup(self.kernel.__exit__)

    def fresh(self):
        kernel = Kernel(COMMAND)
        self.addCleanup(kernel.__exit__)
        return kernel


class Once(PythonCase):
    def test_hello(self):
        answer = self.kernel.once("print('hello')")
        self.assertEqual((answer.exit_code, answer.diagnostic, answer.results), (0, None, []))
        self.assertEqual((self.kernel.out, self.kernel.err), ("hello\n", ""))
        self.assertEqual(self.kernel.process.returncode, 0)

    def test_last_expression_is_the_main_result(self):
        self.assertEqual(self.kernel.once("x = 20\nx + 1").main, {"text/plain": "21"})
        self.assertEqual(self.kernel.out, "")

    def test_semicolon_silences(self):
        self.assertEqual(self.fresh().once("(1 +\n 1)  # ; not this one").main, {"text/plain": "2"})
        self.assertIsNone(self.fresh().once("'é;' ; # silent").main)
        self.assertIsNone(self.fresh().once("None").main)
        self.assertIsNone(self.fresh().once("# only a comment").main)
        self.assertIsNone(self.fresh().once("").main)

    def test_sees_itself_as_a_script(self):
        answer = self.kernel.once(
            "import sys, os\nprint(sys.argv, __name__, __file__ == os.path.join(os.getcwd(), 'main.py'),"
            " os.environ['K'], sys.modules['__main__'].__dict__ is globals(), __spec__,"
            " [n for n in globals() if not n.startswith('__')])",
            args=["a", "b c"], env={"K": "V"})
        self.assertEqual(answer.exit_code, 0, self.kernel.err)
        self.assertEqual(self.kernel.out, "['main.py', 'a', 'b c'] __main__ True V True None ['sys', 'os']\n")

    def test_exception(self):
        answer = self.kernel.once("def f():\n    return 1 / 0\n\nf()")
        self.assertEqual(answer.exit_code, 1)
        found = answer.diagnostic
        self.assertEqual(
            (found["kind"], found["name"], found["message"], found["file"], found["line"]),
            ("exception", "ZeroDivisionError", "division by zero", "main.py", 2))
        if sys.version_info >= (3, 11) and PYTHON == sys.executable:
            self.assertEqual(found["column"], 12)
        err = self.kernel.err
        self.assertTrue(err.startswith('Traceback (most recent call last):\n  File "main.py", line 4, in <module>\n    f()\n'), err)
        self.assertIn("    return 1 / 0\n", err)
        self.assertNotIn("crucible", err)
        self.assertEqual(found["traceback"], err)
        self.assertEqual(self.kernel.process.returncode, 1)

    def test_traceback_for_a_model_has_no_frames_of_libraries(self):
        code = "import json\ntry:\n    json.loads('x')\nexcept ValueError as e:\n    raise KeyError('k') from e"
        answer = self.kernel.once(code)
        self.assertIn("decoder.py", self.kernel.err)
        text = answer.diagnostic["traceback"]
        self.assertNotIn("decoder.py", text)
        for part in ['File "main.py", line 3', 'File "main.py", line 5', "JSONDecodeError: Exp", "KeyError: 'k'", "direct cause"]:
            self.assertIn(part, text)

    def test_chained_exception_shows_both(self):
        self.kernel.once("try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e")
        err = self.kernel.err
        self.assertIn("KeyError: 'a'", err)
        self.assertIn("direct cause", err)
        self.assertNotIn("crucible", err)

    def test_exit_statuses(self):
        for code, status in (("import sys; sys.exit(3)", 3), ("import sys; sys.exit()", 0), ("exit(4)", 4),
                             ("import sys; sys.exit('bye')", 1), ("raise SystemExit(256)", 0)):
            kernel = self.fresh()
            answer = kernel.once(code)
            self.assertEqual((answer.exit_code, kernel.process.returncode), (status, status), code)
            if "bye" in code:
                self.assertEqual(kernel.err, "bye\n")
            self.assertEqual(answer.diagnostic is None, status == 0)
            if status:
                said = "bye" if "bye" in code else "exit status %d" % status
                found = answer.diagnostic
                self.assertEqual((found["kind"], found["name"], found["message"]), ("exit", "ExitStatus", said))

    def test_os_exit(self):
        answer = self.kernel.once("import os\nprint('x', flush=True)\nos._exit(5)")
        self.assertIsNone(answer.done)
        self.assertEqual((self.kernel.process.returncode, self.kernel.out), (5, "x\n"))

    def test_threads_and_exit_hooks_run_after_the_main_program(self):
        answer = self.kernel.once(
            "import threading, time, atexit\natexit.register(print, 'hook')\n"
            "def work():\n    time.sleep(0.2)\n    print('thread')\nthreading.Thread(target=work).start()\nprint('main')")
        self.assertEqual(answer.exit_code, 0)
        self.assertEqual(self.kernel.out, "main\nthread\nhook\n")

    def test_error_in_a_thread_is_printed_and_does_not_fail_the_run(self):
        answer = self.kernel.once("import threading\ndef bad():\n    raise ValueError('t')\nt = threading.Thread(target=bad, name='T')\nt.start()\nt.join()")
        self.assertEqual((answer.exit_code, self.kernel.process.returncode), (0, 0))
        err = self.kernel.err
        self.assertIn("Exception in thread T:", err)
        self.assertIn("    raise ValueError('t')", err)
        self.assertNotIn("crucible", err)

    def test_stdin(self):
        self.kernel.once("print(input('? ').upper())\ntry:\n    input()\nexcept EOFError:\n    print('end')", stdin=b"abc\n")
        self.assertEqual(self.kernel.out, "? ABC\nend\n")

    def test_input_without_stdin(self):
        answer = self.kernel.once("input()")
        self.assertEqual((answer.exit_code, answer.diagnostic["name"]), (1, "EOFError"))
        self.assertIn("stdin", answer.diagnostic["hint"])

    def test_syntax_error(self):
        answer = self.kernel.once("x = 1\nif x\n    y = 2\n")
        found = answer.diagnostic
        self.assertEqual((found["kind"], found["file"], found["line"], found["column"]), ("syntax", "main.py", 2, 5))
        self.assertEqual(answer.exit_code, 1)
        err = self.kernel.err
        self.assertIn('  File "main.py", line 2\n    if x\n', err)

    def test_nul_in_source(self):
        self.assertEqual(self.kernel.once("x = '\0'").exit_code, 1)

    def test_missing_module(self):
        found = self.kernel.once("import sklearn.no_such_thing_xyz").diagnostic or {}
        self.assertEqual(found["name"], "ModuleNotFoundError")
        self.assertIn("sklearn", found["missing_module"])
        found = self.fresh().once("import jsonn").diagnostic
        self.assertEqual(found["missing_module"], "jsonn")
        self.assertIn("json", found["hint"])

    def test_missing_file_lists_the_folder(self):
        with open(os.path.join(self.kernel.home, "there.csv"), "w"):
            pass
        found = self.kernel.once("open('here.csv')").diagnostic
        self.assertEqual((found["errno"], found["name"]), (2, "FileNotFoundError"))
        self.assertIn("there.csv", found["hint"])

    def test_error_in_a_module_of_the_workspace(self):
        with open(os.path.join(self.kernel.home, "helper.py"), "w") as file:
            file.write("def f():\n    raise KeyError(1)\n")
        found = self.kernel.once("import helper\nhelper.f()").diagnostic
        self.assertEqual((found["file"], found["line"]), ("helper.py", 2))
        self.assertIn('/helper.py", line 2, in f', self.kernel.err)

    def test_error_in_a_package_of_the_workspace(self):
        os.mkdir(os.path.join(self.kernel.home, "pkg"))
        with open(os.path.join(self.kernel.home, "pkg", "x.py"), "w") as file:
            file.write("\n1 / 0\n")
        found = self.kernel.once("import pkg.x").diagnostic
        self.assertEqual((found["file"], found["line"]), ("pkg/x.py", 2))

    def test_names_of_our_modules_are_free(self):
        with open(os.path.join(self.kernel.home, "display.py"), "w") as file:
            file.write("who = 'user'\n")
        self.kernel.once("import display\nprint(display.who)")
        self.assertEqual(self.kernel.out, "user\n")

    def test_recursion(self):
        answer = self.kernel.once("import sys\nsys.setrecursionlimit(120)\ndef f(): return f()\nf()")
        self.assertEqual(answer.diagnostic["name"], "RecursionError")
        self.assertIn("RecursionError", self.kernel.err)

    def test_memory_error(self):
        answer = self.kernel.once("x = bytearray(1 << 62)")
        self.assertEqual((answer.diagnostic["kind"], answer.diagnostic["name"]), ("exception", "MemoryError"))

    def test_top_level_await(self):
        answer = self.kernel.once("import asyncio\nawait asyncio.sleep(0)\nt = asyncio.create_task(asyncio.sleep(0, 7))\nawait t")
        self.assertEqual(answer.main, {"text/plain": "7"}, self.kernel.err)

    def test_asyncio_run(self):
        answer = self.kernel.once("import asyncio\nasync def f():\n    return 5\nasyncio.run(f())")
        self.assertEqual(answer.main, {"text/plain": "5"})

    def test_traceback_through_await(self):
        self.kernel.once("import asyncio\nasync def f():\n    raise ValueError('x')\nawait f()")
        err = self.kernel.err
        self.assertTrue(err.startswith('Traceback (most recent call last):\n  File "main.py", line 4, in <module>'), err)

    def test_multiprocessing(self):
        for method in ("fork", "spawn", "forkserver"):
            kernel = self.fresh()
            answer = kernel.once(
                "import multiprocessing as m\ndef square(x):\n    return x * x\n"
                "if __name__ == '__main__':\n    m.set_start_method(%r)\n"
                "    with m.Pool(2) as pool:\n        print(pool.map(square, [1, 2, 3]))" % method)
            self.assertEqual((answer.exit_code, kernel.out), (0, "[1, 4, 9]\n"), kernel.err)

    def test_children_get_only_the_standard_descriptors(self):
        self.kernel.once("import subprocess\nprint(subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True, close_fds=False).stdout.split())")
        # The fourth is the folder that ls itself has open.
        self.assertEqual(self.kernel.out, "['0', '1', '2', '3']\n")

    def test_forked_child_cannot_answer(self):
        answer = self.kernel.once(
            "import os, sys\npid = os.fork()\nif pid == 0:\n    display('child')\n    sys.exit(9)\n"
            "print(os.waitpid(pid, 0)[1] >> 8)")
        self.assertEqual(answer.results, [])
        self.assertEqual(self.kernel.out, "'child'\n9\n", self.kernel.err)

    def test_interrupt(self):
        self.kernel.start("import time\nprint('in')\ntime.sleep(60)", mode="once")
        while "in" not in self.kernel.out:
            pass
        self.kernel.interrupt()
        answer = self.kernel.finish()
        self.assertTrue(answer.done["interrupted"])
        self.assertEqual(self.kernel.process.wait(10), 130)
        self.assertIn("KeyboardInterrupt", self.kernel.err)

    def test_own_exception_hook(self):
        self.kernel.once("import sys\nsys.excepthook = lambda t, v, tb: print('hooked', v)\nraise ValueError('x')")
        self.assertEqual((self.kernel.out, self.kernel.err), ("hooked x\n", ""))

    def test_unprintable_output(self):
        self.kernel.once("print('\\ud800 ok')")
        self.assertEqual(self.kernel.out, "\\ud800 ok\n")

    def test_pickle_of_own_class(self):
        answer = self.kernel.once("import pickle\nclass A:\n    x = 1\nprint(pickle.loads(pickle.dumps(A())).x)")
        self.assertEqual((answer.exit_code, self.kernel.out), (0, "1\n"))

    def test_inspect_finds_the_source(self):
        self.kernel.once("import inspect\ndef f():\n    return 1\nprint(inspect.getsource(f))")
        self.assertEqual(self.kernel.out, "def f():\n    return 1\n\n")


class Session(PythonCase):
    def test_state_persists(self):
        self.kernel.run("import math\nx = 2\ndef f(): return x * math.pi")
        self.assertEqual(self.kernel.run("round(f(), 2)").main, {"text/plain": "6.28"})
        self.assertEqual(self.kernel.run("_ + 1").main, {"text/plain": "7.28"})

    def test_exit_keeps_state(self):
        self.kernel.run("x = 1")
        answer = self.kernel.run("import sys\nsys.exit(3)")
        self.assertEqual((answer.exit_code, answer.diagnostic["kind"]), (3, "exit"))
        self.assertEqual(self.kernel.run("x").main, {"text/plain": "1"})
        answer = self.kernel.run("sys.exit('bye')")
        self.assertEqual((answer.exit_code, self.kernel.err), (1, "bye\n"))
        self.assertEqual(self.kernel.run("exit()").exit_code, 0)
        self.assertEqual(self.kernel.run("x").main, {"text/plain": "1"})

    def test_tracebacks_name_the_cell(self):
        self.kernel.run("def f():\n    raise ValueError('x')")
        answer = self.kernel.run("\nf()")
        self.assertEqual((answer.diagnostic["file"], answer.diagnostic["line"]), ("cell_1.py", 2))
        err = self.kernel.err
        self.assertIn('File "cell_2.py", line 2, in <module>\n    f()', err)
        self.assertIn("    raise ValueError('x')", err)
        self.assertNotIn("crucible", err)

    def test_name_error_hint_in_a_fresh_interpreter(self):
        self.assertIn("first run", self.kernel.run("df").diagnostic["hint"])
        self.assertIsNone(self.kernel.run("df").diagnostic["hint"])

    def test_output_is_in_the_pipe_before_done(self):
        for index in range(50):
            self.kernel.run("import sys\nprint(%d, end='')\nsys.stderr.write('e')" % index)
            self.assertEqual((self.kernel.out, self.kernel.err), (str(index), "e"))

    def test_interrupt_keeps_state(self):
        self.kernel.run("x = 5")
        for code in ("print('in')\nwhile True: pass", "import time\nprint('in')\ntime.sleep(60)",
                     "import asyncio\nprint('in')\nawait asyncio.sleep(60)"):
            self.kernel.start(code)
            while "in" not in self.kernel.out:
                pass
            # A signal between Python's last look and the call that sleeps wakes nobody.
            time.sleep(0.05)
            self.kernel.interrupt()
            answer = self.kernel.finish()
            self.assertTrue(answer.done["interrupted"])
            self.assertEqual(answer.diagnostic["name"], "KeyboardInterrupt")
            self.assertEqual(self.kernel.run("x").main, {"text/plain": "5"})

    def test_interrupt_between_runs_is_ignored(self):
        self.kernel.run("x = 5")
        self.kernel.interrupt()
        answer = self.kernel.run("x")
        self.assertEqual((answer.main, answer.done["interrupted"]), ({"text/plain": "5"}, False))

    def test_users_handler_is_replaced_at_the_next_run(self):
        self.kernel.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.alarm(1)")
        self.kernel.start("print('in')\nwhile True: pass")
        while "in" not in self.kernel.out:
            pass
        self.kernel.interrupt()
        self.assertTrue(self.kernel.finish().done["interrupted"])

    def test_mistakes_that_must_not_break_the_kernel(self):
        for mistake in (
            "print = 3", "json = None", "import json\njson.dumps = json.JSONEncoder = None",
            "import os\nos.write = os.read = os.open = os.dup2 = None", "del __builtins__",
            "import sys\nsys.stdout = None", "import sys\nsys.stdout.close()\nsys.stderr.close()",
            "import sys\nsys.stdout.detach()", "import os\nimport sys\nsys.stdin = 3",
            "import sys\nsys.settrace(lambda *a: 1/0)", "import sys\nsys.exc_info = sys.excepthook = None",
            "import linecache\nlinecache.cache.clear()", "import traceback\ntraceback.format_exception = None\n1/0",
            "import os\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')", "import sys\nsys.path.clear()",
            "import sys\nsys.modules['__main__'] = None", "import sys\nsys.argv = None", "globals().clear()",
            "import signal\nsignal.signal = None", "class A:\n    def __repr__(self): raise ValueError(1)\nA()",
            "class A:\n    def __getattr__(self, name): return self\nA()",
            "class B(BaseException):\n    def __str__(self): raise B\nraise B",
            "import sys\nsys.setrecursionlimit(60)",
            "import importlib\nimportlib.import_module = None\nimport sys\nsys.meta_path.clear()",
            "import gc\ngc.disable()", "__name__ = 7",
        ):
            with self.subTest(mistake):
                kernel = self.fresh()
                kernel.run("x = 1")
                self.assertIsNotNone(kernel.run(mistake).done)
                answer = kernel.run("del globals()['print']\n" if mistake == "print = 3" else "pass")
                self.assertEqual(answer.exit_code, 0, kernel.err)
                kernel.out
                self.assertEqual(kernel.run("print('still here')\n6 * 7").main, {"text/plain": "42"}, kernel.err)
                self.assertEqual(kernel.out, "still here\n")

    def test_closed_descriptors_are_healed(self):
        self.kernel.run("import os\nos.close(0)\nos.close(1)\nos.close(2)")
        self.kernel.run("print('back')\nimport sys\nprint('too', file=sys.stderr)", stdin=b"q")
        self.assertEqual((self.kernel.out, self.kernel.err), ("back\n", "too\n"))

    def test_each_run_has_its_own_stdin(self):
        self.assertEqual(self.kernel.run("input()", stdin=b"one\nrest").main, {"text/plain": "'one'"})
        self.assertEqual(self.kernel.run("import sys\nsys.stdin.read()", stdin=b"two").main, {"text/plain": "'two'"})
        self.assertEqual(self.kernel.run("input()").diagnostic["name"], "EOFError")

    def test_one_loop_for_the_session(self):
        self.kernel.run("import asyncio\nq = asyncio.Queue()\nawait q.put(1)")
        self.kernel.run("asyncio.run(asyncio.sleep(0))")
        self.assertEqual(self.kernel.run("await asyncio.wait_for(q.get(), 5)").main, {"text/plain": "1"}, self.kernel.err)
        self.assertEqual(self.kernel.run("import sys\nawait asyncio.sleep(0)\nsys.exit(4)").exit_code, 4)
        self.assertEqual(self.kernel.run("await asyncio.sleep(0, 9)").main, {"text/plain": "9"})

    def test_forked_child_that_leaves_the_code(self):
        self.kernel.run("import os\npid = os.fork()\nif pid: status = os.waitpid(pid, 0)[1] >> 8\nelse: os.environ['c'] = '1'")
        self.assertEqual(self.kernel.run("status").main, {"text/plain": "0"})

    def test_future_statements_persist(self):
        self.kernel.run("from __future__ import annotations")
        self.assertEqual(self.kernel.run("def f(x: Undefined): pass\nf.__annotations__").main, {"text/plain": "{'x': 'Undefined'}"})

    def test_exception_while_reporting_a_result(self):
        answer = self.kernel.run("class A:\n    def __repr__(self):\n        return 1 / 0\nA()")
        self.assertEqual((answer.exit_code, answer.diagnostic["line"]), (1, 3))

    def test_c_stdio_is_flushed(self):
        self.kernel.run("import ctypes\nctypes.CDLL(None).printf(b'from C')\nNone")
        self.assertEqual(self.kernel.out, "from C")

    def test_hang_up_ends_the_kernel(self):
        self.kernel.hang_up()
        self.assertEqual(self.kernel.process.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
