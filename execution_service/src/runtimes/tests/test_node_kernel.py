"""The Node kernel: a program that runs once."""

import json
import os
import re
import unittest

from node_driver import TOO_DEEP, NodeCase, node_says, skip_without_node


def setUpModule():
    skip_without_node("test_node_kernel")


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


if __name__ == "__main__":
    unittest.main()
