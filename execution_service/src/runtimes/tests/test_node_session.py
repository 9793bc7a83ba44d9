"""The Node kernel: a session."""

import json
import os
import unittest

from node_driver import TOO_DEEP, NodeCase, skip_without_node


def setUpModule():
    skip_without_node("test_node_session")


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
