"""The Node kernel. `KERNEL_NODE` names another node than the one in PATH."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest

from kernel_driver import RUNTIMES, Kernel

NODE = os.environ.get("KERNEL_NODE") or shutil.which("node")
COMMAND = [NODE or "node", "--experimental-vm-modules", os.path.join(RUNTIMES, "node", "kernel.cjs")]


# What uses up the stack, and the line where it is noticed: of the parser, of what looks through its tree, of V8.
TOO_DEEP = (
    ("parentheses", "let a;\n" + "(" * 100_000 + "1" + ")" * 100_000, 2),
    ("open parentheses", "(" * 100_000, 1),
    ("unary operators", "!" * 100_000 + "1", 1),
    ("blocks", "\n" + "{" * 100_000 + "}" * 100_000, 2),
    ("statements", "if (1) " * 50_000, 1),
    ("templates", "`${" * 50_000 + "1" + "}`" * 50_000, 1),
    ("patterns", "let " + "[" * 50_000 + "a" + "]" * 50_000 + " = 1", 1),
    ("regular expression", "/" + "(" * 50_000 + ")" * 50_000 + "/", 1),
    ("members", "let a;\na" + ".a" * 100_000, 1),
    ("members beside await", "await 1; let a; a" + ".a" * 100_000, 1),
)


def node_says(expression):
    return subprocess.run([NODE, "-p", expression], capture_output=True, check=True, text=True).stdout.strip()


class NodeKernel(Kernel):
    script = "main.js"


def setUpModule():
    if NODE is None:
        print("skipped: test_node_kernel (no node in PATH)", file=sys.stderr)
        raise unittest.SkipTest("no node")


class NodeCase(unittest.TestCase):
    def setUp(self):
        self.kernel = self.fresh()

    def fresh(self):
        kernel = NodeKernel(COMMAND)
        self.addCleanup(kernel.__exit__)
        return kernel

    def value(self, code, **options):
        answer = self.kernel.run(code, **options)
        self.assertEqual(answer.exit_code, 0, self.kernel.err)
        return answer.main and answer.main["text/plain"]

    def wait_for_output(self, text):
        seen = ""
        while text not in seen:
            time.sleep(0.005)
            seen += self.kernel.out
        # Node changes hands with SIGINT at the end of the synchronous part: not at that very moment.
        time.sleep(0.05)


class Once(NodeCase):
    def test_hello(self):
        answer = self.kernel.once("console.log('hi', process.argv.slice(2), process.env.K, require.main === module)", args=["a"], env={"K": "V"})
        self.assertEqual((answer.exit_code, answer.diagnostic, answer.results), (0, None, []))
        self.assertEqual((self.kernel.out, self.kernel.err), ("hi [ 'a' ] V true\n", ""))
        self.assertEqual(self.kernel.process.returncode, 0)

    def test_options_of_the_kernel_are_hidden(self):
        self.kernel.once("console.log(process.execArgv, process.argv.length)")
        self.assertEqual((self.kernel.out, self.kernel.err), ("[] 2\n", ""))

    def test_warm_up_leaves_no_trace(self):
        self.kernel.once(
            "console.log(Object.keys(globalThis).includes('found'), Object.keys(require.cache).length, process.listenerCount('exit'),"
            " Object.hasOwn(process.stdout, 'write'), process.stdout.bytesWritten, require.main === module, module.children.length)")
        self.assertEqual((self.kernel.out, self.kernel.err), ("false 1 1 false 0 true 0\n", ""))

    def test_exit_hooks_of_the_program_change_the_status(self):
        for code, status in (("process.on('exit', () => { process.exitCode = 7 })", 7), ("process.prependListener('exit', () => { process.exitCode = 8 })", 8),
                             ("process.on('exit', () => process.exit(9))", 9), ("process.on('beforeExit', () => process.once('exit', () => console.log('x')))", 0),
                             ("process.exitCode = '6'", 6)):
            with self.subTest(code):
                kernel = self.fresh()
                kernel.once(code)
                self.assertEqual(kernel.process.returncode, status, kernel.err)
                self.assertEqual(kernel.out, "x\n" if "beforeExit" in code else "")

    def test_last_expression(self):
        for code, expected in (("1 + 1", "2"), ("let a = 1;\n({ a })", "{ a: 1 }"), ("const s = 'x';\ns; // done", "'x'"),
                               ("async function main() { return 7 }\nmain()", "7"), ("await Promise.resolve(8)", "8"),
                               ("for (let i = 0; i < 3; i++) i", None), ("process.on('exit', () => {})", None),
                               ("", None), ("// nothing", None), ("#!/usr/bin/env node\n5", "5")):
            kernel = self.fresh()
            answer = kernel.once(code)
            self.assertEqual(answer.exit_code, 0, kernel.err)
            self.assertEqual(answer.main and answer.main["text/plain"], expected, code)

    def test_plain_data_comes_as_json_too(self):
        self.assertEqual(self.kernel.once("({a: [1, 'x']})").main["application/json"], '{"a":[1,"x"]}')

    def test_modules_and_require_together(self):
        with open(os.path.join(self.kernel.home, "mine.mjs"), "w") as file:
            file.write("export default 'd'; export const named = 'n';")
        with open(os.path.join(self.kernel.home, "old.js"), "w") as file:
            file.write("module.exports = { o: 1 };")
        answer = self.kernel.once(
            "import fs, { existsSync as exists } from 'node:fs';\nimport * as os from 'os';\nimport d, {\n  named\n} from './mine.mjs';\n"
            "import { createRequire } from 'module';\nconst require = createRequire(import.meta.url);\n"
            "export const y = typeof fs.readFileSync;\nexport default function f() {}\n"
            "console.log(d, named, exists('/'), typeof os.cpus, require('./old.js').o, y, import.meta.url.startsWith('file:'));\n"
            "console.log((await import('./mine.mjs')).named)")
        self.assertEqual((self.kernel.out, self.kernel.err), ("d n true function 1 function true\nn\n", ""))
        self.assertEqual(answer.exit_code, 0)

    def test_uncaught_error(self):
        answer = self.kernel.once("function f() {\n  throw new TypeError('x');\n}\nf();\n")
        found = answer.diagnostic
        self.assertEqual((found["kind"], found["name"], found["message"], found["file"], found["line"], found["column"]),
                         ("exception", "TypeError", "x", "main.js", 2, 9))
        err = self.kernel.err
        self.assertIn("main.js:2\n  throw new TypeError('x');\n  ^\n\nTypeError: x\n    at f (", err)
        self.assertNotIn("kernel", err.replace(self.kernel.home, ""))
        self.assertEqual(self.kernel.process.returncode, 1)

    def test_positions_beside_rewritten_text(self):
        found = self.kernel.once("import os from 'os'; const a = 1; null.b").diagnostic
        self.assertEqual((found["line"], found["column"]), (1, 40))

    def test_error_of_the_last_expression_is_at_its_own_line(self):
        if node_says("process.versions.node").startswith("18."):
            self.skipTest("Node 18 places it at the `return` that was put before it")
        for code, line, column in (("undefinedFn()", 1, 1), ("new Worker('x')", 1, 1), ("let a = 1;\n\nundefinedFn(a)", 3, 1),
                                   ("foo;", 1, 1), ("await null;\nfoo", 2, 1), ("\n(0, eval)('1'),\n  foo.bar", 3, 7)):
            with self.subTest(code):
                kernel = self.fresh()
                found = kernel.once(code).diagnostic
                self.assertEqual((found["file"], found["line"], found["column"]), ("main.js", line, column))
                err = kernel.err
                self.assertIn("main.js:%d\n%s\n" % (line, code.split("\n")[line - 1]), err)
                self.assertNotRegex(err, r"exports|return|runtimes")

    def test_printed_line_is_the_users_where_it_was_rewritten(self):
        for code in ("let a = 1; undefinedFn(a);", "let a = 1; setTimeout(() => { throw new Error('late') })",
                     "let a = 1; Promise.reject(Object.assign(new Error('r'), { code: 5 }))", "import fs from 'fs'; null.x"):
            with self.subTest(code):
                kernel = self.fresh()
                kernel.once(code)
                err = kernel.err
                self.assertRegex(err.split("\n", 1)[1], "^" + re.escape(code) + r"\n +\^\n")
                self.assertNotRegex(err, r"return|runtimes")

    def test_frozen_error_is_still_reported(self):
        found = self.kernel.once("let a = 1; Promise.reject(Object.freeze(new Error('q')))").diagnostic
        self.assertEqual((found["message"], found["line"]), ("q", 1))
        self.assertNotIn("runtimes", self.kernel.err)

    def test_out_of_memory_has_the_number_of_the_system(self):
        found = self.kernel.once("new ArrayBuffer(2 ** 46)").diagnostic
        self.assertEqual((found["name"], found["errno"]), ("RangeError", 12))

    def test_closed_channel_is_no_error_of_the_program(self):
        kernel = self.fresh()
        answer = kernel.once("require('fs').closeSync(3); require('fs').closeSync(4); console.log('x'); 1 + 1")
        self.assertIsNone(answer.done)
        self.assertEqual((kernel.process.returncode, kernel.out, kernel.err), (0, "x\n", ""))
        self.kernel.run("require('fs').closeSync(3); process.exit(3)")
        self.kernel.process.wait(20)
        self.assertEqual(self.kernel.err, "")

    def test_stack_seen_by_the_program_has_no_frame_of_ours(self):
        self.kernel.once("console.log(new Error('e').stack)")
        out = self.kernel.out
        self.assertEqual(len(out.splitlines()), 2, out)
        self.assertIn("main.js:1:13", out)

    def test_late_errors_fail_the_run(self):
        for code in ("setTimeout(() => { throw new Error('late') }, 10)", "Promise.reject(new Error('late'))",
                     "async function m() { await null; throw new Error('late') }\nm()", "await null; throw new Error('late')"):
            kernel = self.fresh()
            answer = kernel.once(code)
            self.assertEqual((answer.exit_code, kernel.process.returncode), (1, 1), code)
            self.assertEqual((answer.diagnostic["message"], answer.diagnostic["file"]), ("late", "main.js"), code)
            self.assertIn("Error: late", kernel.err)

    def test_caught_by_the_program(self):
        answer = self.kernel.once("process.on('uncaughtException', (e) => console.log('caught', e.message)); throw new Error('x')")
        self.assertEqual((answer.exit_code, answer.diagnostic, self.kernel.out), (0, None, "caught x\n"))

    def test_exit_statuses(self):
        for code, status in (("process.exit(3)", 3), ("process.exitCode = 4", 4), ("process.exit()", 0), ("await new Promise(() => {})", 13)):
            kernel = self.fresh()
            answer = kernel.once(code)
            self.assertEqual((answer.exit_code, kernel.process.returncode), (status, status), code)
            self.assertEqual(answer.diagnostic is None, status == 0)
            if status:
                self.assertEqual((answer.diagnostic["name"], answer.diagnostic["message"]), ("ExitStatus", "exit status %d" % status))

    def test_output_survives_process_exit(self):
        self.kernel.once("process.stdout.write('x'.repeat(1 << 20)); process.exit()")
        self.assertEqual(len(self.kernel.out), 1 << 20)

    def test_loop_drains_and_hooks_run(self):
        self.kernel.once("setTimeout(() => console.log('timer'), 20); process.on('exit', () => console.log('hook')); console.log('main')")
        self.assertEqual(self.kernel.out, "main\ntimer\nhook\n")

    def test_syntax_error(self):
        answer = self.kernel.once("let x = 1;\nlet y = ;\n")
        found = answer.diagnostic
        self.assertEqual((found["kind"], found["file"], found["line"], found["column"]), ("syntax", "main.js", 2, 9))
        self.assertIn("main.js:2\nlet y = ;\n        ^\n\nSyntaxError: Unexpected token ';'", self.kernel.err)
        self.assertEqual(self.kernel.process.returncode, 1)
        found = self.fresh().once("import a from 'os';\nlet a;\n").diagnostic
        self.assertEqual((found["kind"], found["line"]), ("syntax", 2))

    def test_program_nested_too_deeply(self):
        for name, code, line in TOO_DEEP:
            with self.subTest(name):
                kernel = self.fresh()
                found = kernel.once(code).diagnostic
                self.assertEqual((found["kind"], found["message"], found["line"]), ("syntax", "The program is nested too deeply", line))
                self.assertNotIn("runtimes", kernel.err)
                self.assertEqual(kernel.process.returncode, 1)

    def test_text_that_is_no_utf16_and_huge_literals(self):
        for code, expected in (("'\ud800'.length", "1"), ("'%s'.length" % ("x" * (1 << 20)), "1048576"), ("%s;1" % ("1" * 100_000), "1")):
            kernel = self.fresh()
            self.assertEqual(kernel.once(code).main, {"text/plain": expected}, kernel.err)
        self.assertEqual(self.kernel.once("let a;\n\ud800 = 1").diagnostic["line"], 2)

    def test_internals_of_node_stay_closed(self):
        question = "try { require('internal/deps/acorn/acorn/dist/acorn') } catch (error) { console.log(error.code, process.execArgv) }"
        with open(os.path.join(self.kernel.home, "child.js"), "w") as file:
            file.write(question)
        self.kernel.once(question + "\nrequire('child_process').fork('./child.js')")
        self.assertEqual((self.kernel.out, self.kernel.err), ("MODULE_NOT_FOUND []\n" * 2, ""))

    def test_missing_modules(self):
        for code, name in (("require('nope')", "nope"), ("import a from 'nope';", "nope"), ("require('./nope')", "./nope")):
            answer = self.fresh().once(code)
            self.assertEqual((answer.exit_code, answer.diagnostic["missing_module"]), (1, name), code)

    def test_system_error(self):
        found = self.kernel.once("require('fs').readFileSync('gone')").diagnostic
        self.assertEqual(found["errno"], 2)
        self.assertIn("holds: nothing", found["hint"])

    def test_stdin(self):
        self.kernel.once("console.log(require('fs').readFileSync(0, 'utf8').trim())", stdin=b"in\n")
        self.assertEqual(self.kernel.out, "in\n")
        kernel = self.fresh()
        kernel.once("let s = ''; process.stdin.on('data', (d) => s += d).on('end', () => console.log(s.length))", stdin=b"abc")
        self.assertEqual(kernel.out, "3\n")

    def test_children_get_only_the_standard_descriptors(self):
        self.kernel.once("console.log(require('child_process').execFileSync('ls', ['/proc/self/fd'], {stdio: ['inherit', 'pipe', 'inherit']}).toString().split('\\n').join(' '))")
        self.assertEqual(self.kernel.out, "0 1 2 3 \n")

    def test_workers_and_local_servers(self):
        self.kernel.once(
            "const { Worker } = require('worker_threads');\nnew Worker('require(\"worker_threads\").parentPort.postMessage(5)', { eval: true })"
            ".on('message', (m) => console.log('worker', m));\n"
            "const server = require('http').createServer((q, r) => r.end('served')).listen(0, '127.0.0.1', async () => {\n"
            "  const answer = await fetch(`http://127.0.0.1:${server.address().port}`);\n  console.log(await answer.text());\n"
            "  server.close(); server.closeAllConnections();\n})")
        self.assertEqual(sorted(self.kernel.out.split("\n")), ["", "served", "worker 5"], self.kernel.err)

    def test_interrupt(self):
        for code in ("console.log('in'); for (;;);", "console.log('in'); setTimeout(() => {}, 60000)", "console.log('in'); await new Promise((r) => setTimeout(r, 60000))"):
            self.kernel = self.fresh()
            self.kernel.start(code, mode="once")
            self.wait_for_output("in")
            self.kernel.interrupt()
            answer = self.kernel.finish()
            self.assertTrue(answer.done["interrupted"])
            self.assertEqual(self.kernel.process.wait(20), 130)

    def test_typescript(self):
        answer = self.kernel.once("interface A { x: number }\nconst a: A = { x: 1 };\na.x as number")
        if node_says("'stripTypeScriptTypes' in require('node:module')") == "true":
            self.assertEqual(answer.main, {"text/plain": "1"}, self.kernel.err)
            self.assertEqual(self.kernel.err, "")
        else:
            self.assertEqual(answer.diagnostic["kind"], "syntax")
            self.assertIn("cannot strip types", answer.diagnostic["hint"] or "")


class Session(NodeCase):
    def test_survives_a_program_nested_too_deeply(self):
        self.kernel.run("const kept = 1")
        for name, code, line in TOO_DEEP:
            with self.subTest(name):
                found = self.kernel.run(code).diagnostic
                self.assertEqual((found["kind"], found["message"], found["line"]), ("syntax", "The program is nested too deeply", line))
                self.assertNotIn("runtimes", self.kernel.err)
        self.assertEqual(self.value("kept"), "1")

    def test_state_persists_and_can_be_declared_again(self):
        self.kernel.run("const x = 1; let { a, b: [c], ...rest } = { a: 2, b: [3], d: 4 }; class A { static v = 5 }; function f() { return x }")
        self.assertEqual(self.value("[x, a, c, rest.d, A.v, f()].join()"), "'1,2,3,4,5,1'")
        self.kernel.run("const x = 10; class A { static v = 50 }; let a; function f() { return -x }")
        self.assertEqual(self.value("[x, a, A.v, f()].join()"), "'10,,50,-10'")

    def test_await_and_import_persist(self):
        self.kernel.run("import os, { cpus } from 'os';\nimport * as path from 'path';\nconst y = await Promise.resolve(6), [z] = [7];\nlet w;\nclass B {}\nfunction g() { return y }")
        self.assertEqual(self.value("[typeof cpus, typeof os.cpus, path.join('a', 'b'), y, z, w, typeof B, g()].join()"), "'function,function,a/b,6,7,,function,6'")
        self.assertEqual(self.value("(await import('node:fs')).existsSync('/')"), "true")

    def test_names_of_nodes_own_globals(self):
        self.assertEqual(self.value("const crypto = require('crypto');\ncrypto.createHash('md5').update('a').digest('hex').slice(0, 4)"), "'0cc1'")
        self.assertEqual(self.value("const { performance } = require('perf_hooks'); typeof performance.now()"), "'number'")

    def test_errors_keep_state(self):
        self.kernel.run("let x = 1")
        answer = self.kernel.run("\nfunction g() { null.y }\ng()")
        found = answer.diagnostic
        self.assertEqual((answer.exit_code, found["name"], found["file"], found["line"], found["column"]), (1, "TypeError", "cell_2.js", 2, 21))
        err = self.kernel.err
        self.assertIn("cell_2.js:2\nfunction g() { null.y }\n", err)
        self.assertNotIn("runtimes", err)
        self.assertEqual(self.kernel.run("let z = ;").diagnostic["kind"], "syntax")
        self.assertEqual(self.kernel.run("return 5").diagnostic["kind"], "syntax")
        self.assertEqual(self.value("x"), "1")

    def test_reference_error_hint_in_a_fresh_process(self):
        self.assertIn("first run", self.kernel.run("df").diagnostic["hint"])

    def test_process_exit_keeps_state(self):
        self.kernel.run("let x = 1")
        for code, status in (("process.exit(3); x = 2", 3), ("setTimeout(() => process.exit(4), 5)", 4), ("await null; process.exit(5)", 5),
                             ("process.exit()", 0), ("process.exitCode = 6", 6)):
            self.assertEqual(self.kernel.run(code).exit_code, status, code)
        self.assertEqual(self.value("x"), "1")
        self.assertEqual(self.kernel.err, "")

    def test_unhandled_rejection_fails_the_run_only(self):
        answer = self.kernel.run("Promise.reject(new Error('r')); 1")
        self.assertEqual((answer.exit_code, answer.diagnostic["message"]), (1, "r"))
        self.assertEqual(self.kernel.run("setTimeout(() => { throw new Error('t') }, 5)").diagnostic["message"], "t")
        self.assertEqual(self.kernel.run("async function m() { throw new Error('m') }\nm()").diagnostic["message"], "m")
        self.assertEqual(self.value("1"), "1")

    def test_waits_for_one_shot_work(self):
        self.kernel.run("setTimeout(() => console.log('t'), 30)")
        self.assertEqual(self.kernel.out, "t\n")
        self.kernel.run("require('child_process').exec('sleep 0.1; echo child', (e, out) => console.log(out.trim()))")
        self.assertEqual(self.kernel.out, "child\n")
        self.kernel.run("setTimeout(() => console.log('u'), 50); const i = setInterval(() => {}, 5)")
        self.assertEqual(self.kernel.out, "u\n")

    def test_servers_and_intervals_do_not_keep_a_run_open(self):
        self.kernel.run("const server = require('http').createServer((q, r) => r.end('served'));\nawait new Promise((r) => server.listen(0, '127.0.0.1', r)); setInterval(() => {}, 5)")
        self.assertEqual(self.value("await (await fetch(`http://127.0.0.1:${server.address().port}`)).text()"), "'served'")

    def test_output_is_in_the_pipe_before_done(self):
        for index in range(30):
            self.kernel.run("process.stdout.write('%d'); process.stderr.write('e')" % index)
            self.assertEqual((self.kernel.out, self.kernel.err), (str(index), "e"))

    def test_stdin_is_fresh_in_each_run(self):
        code = "let s = ''; for await (const d of process.stdin) s += d;\ns"
        self.assertEqual(self.value(code, stdin=b"one"), "'one'")
        self.assertEqual(self.value(code, stdin=b"two"), "'two'")
        self.assertEqual(self.value("require('fs').readFileSync(0, 'utf8')", stdin=b"three"), "'three'")
        self.assertEqual(self.value(code), "''")

    def test_interrupt_keeps_state(self):
        self.kernel.run("let x = 1")
        for code in ("console.log('in'); for (;;);", "console.log('in'); setTimeout(() => {}, 60000)", "console.log('in'); await new Promise((r) => setTimeout(r, 60000))"):
            self.kernel.start(code)
            self.wait_for_output("in")
            self.kernel.interrupt()
            answer = self.kernel.finish()
            self.assertTrue(answer.done["interrupted"], code)
            self.assertEqual(self.value("x"), "1")

    def test_interrupt_between_runs_is_ignored(self):
        self.kernel.run("let x = 1")
        self.kernel.interrupt()
        self.assertEqual(self.value("x"), "1")

    def test_display(self):
        answer = self.kernel.run("display({a: 1}); display({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>', 'image/png': new Uint8Array([1]) }) })")
        self.assertEqual(answer.shown[0]["application/json"], '{"a":1}')
        self.assertEqual((answer.shown[1]["text/html"], answer.shown[1]["image/png"]), ("<b>", "AQ=="))

    def test_lone_surrogates_and_sizes(self):
        self.assertEqual(self.kernel.run("throw new Error('\\ud800 \\\\ud800')").diagnostic["message"], "\ufffd \\ud800")
        self.assertLess(len(self.kernel.run("'x'.repeat(3 << 20)").main["text/plain"]), (1 << 20) + 100)

    def test_mistakes_that_must_not_break_the_kernel(self):
        for mistake in (
            "JSON = null", "JSON.stringify = null", "process.exit = null", "process.on = null", "setTimeout = setImmediate = clearTimeout = null",
            "require('fs').writeSync = require('fs').readSync = null", "process.stdout.end()", "process.stdout.destroy()", "console.error = null",
            "Object.defineProperty = null", "globalThis.process = null; 1", "Symbol = null", "Promise = null",
            "process.chdir('/')", "Error.prepareStackTrace = () => { throw 1 }; null.x", "process.exitCode = 'x'", "throw null", "throw undefined",
            "Promise.reject()", "require('util').inspect = null", "process.argv = null; process.env = null", "Error = null", "Buffer = null",
            "Object.prototype.polluted = 1", "process.emitWarning = null", "fs = 1; path = 2; channel = 3; require = 4",
            "({ get [Symbol.toStringTag]() { throw 1 } })", "new Proxy({}, { get() { throw new Error('p') } })", "process.stdin.destroy()",
            "require('fs').closeSync(0)", "process.on('uncaughtException', () => {}); throw 1",
        ):
            with self.subTest(mistake):
                kernel = self.fresh()
                self.assertIsNotNone(kernel.run(mistake).done, kernel.err)
                self.assertIsNotNone(kernel.run("0").done, kernel.err)
                kernel.out
                answer = kernel.run("6 * 7")
                self.assertEqual(answer.main, {"text/plain": "42"}, kernel.err)
                if "console" not in mistake and "process = null" not in mistake:
                    kernel.run("console.log('still here')")
                    self.assertEqual(kernel.out, "still here\n", kernel.err)


if __name__ == "__main__":
    unittest.main()
