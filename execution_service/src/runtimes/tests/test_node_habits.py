"""What programs expect of Node that were written elsewhere. Each test begins with the rule that was broken."""

import json
import os

from node_driver import NodeCase, skip_without_node


def setUpModule():
    skip_without_node("test_node_habits")


class Ends(NodeCase):
    """process.exit() ends the program there and then, in a session too."""

    def ended(self, code, status):
        kernel = self.fresh()
        self.assertEqual(kernel.run(code).exit_code, status, kernel.err)
        seen = kernel.out, kernel.err
        # What it has left behind says nothing in the next run either.
        kernel.run("await new Promise((done) => setTimeout(done, 40)); 1")
        self.assertEqual((kernel.out, kernel.err), ("", ""))
        return seen

    def test_no_catch_and_no_finally(self):
        for code in ("try { process.exit(3) } catch { console.log('no') } finally { console.log('no') }",
                     "setTimeout(() => { try { process.exit(3) } finally { console.log('no') } })",
                     "try { await null; process.exit(3) } catch { console.log('no') } finally { console.log('no') }",
                     "[1, 2].forEach(() => { process.exit(3); console.log('no') }); console.log('no')",
                     "new Promise(() => process.exit(3)).catch(() => console.log('no'))"):
            self.assertEqual(self.ended(code, 3), ("", ""), code)

    def test_no_timer(self):
        for make in ("setTimeout(no, 5)", "setInterval(no, 5)", "setImmediate(no)", "require('timers').setTimeout(no, 5)"):
            self.assertEqual(self.ended("const no = () => console.log('no'); %s; process.exit(1)" % make, 1), ("", ""), make)

    def test_listeners_are_heard_once(self):
        kernel = self.fresh()
        kernel.run("process.on('exit', (code) => { console.log('bye', code); process.exitCode = 9 }); 1")
        self.assertEqual((kernel.run("process.exit(2)").exit_code, kernel.out), (9, "bye 2\n"))
        self.assertEqual((kernel.run("process.exit(2)").exit_code, kernel.out), (2, ""))

    def test_state_lives_on(self):
        self.kernel.run("let x = 5; process.exit(1)")
        self.assertEqual(self.value("x"), "5")

    def test_a_listener_of_the_users_hears_what_is_thrown(self):
        self.kernel.run("process.on('uncaughtException', (e) => console.log('heard', e.message)); 1")
        self.assertEqual(self.kernel.run("throw new Error('x')").exit_code, 0)
        self.assertEqual((self.kernel.out, self.kernel.err), ("heard x\n", ""))

    def test_an_interval_does_not_keep_the_first_run_open(self):
        for code in ("const t = setInterval(() => {}, 1000)", "const s = require('net').createServer().listen(0)",
                     "const w = require('fs').watch('.')"):
            kernel = self.fresh()
            kernel.start(code)
            self.assertEqual(kernel.finish().exit_code, 0, code)


class TheFile(NodeCase):
    """The program is a file, and the main one."""

    CHILD = "const { fork } = require('child_process'); if (process.argv[2]) console.log('child'); else fork(%s, ['x'])"

    def test_it_can_be_started_again(self):
        for name in ("__filename", "process.argv[1]", "require.main.filename", "'main.js'"):
            kernel = self.fresh()
            kernel.once(self.CHILD % name)
            self.assertEqual((kernel.out, os.listdir(kernel.home)), ("child\n", []), name)

    def test_workers_and_clusters(self):
        for code in ("const c = require('cluster'); if (c.isPrimary) c.fork().on('exit', () => 0); else { console.log('child'); process.exit() }",
                     "const w = require('worker_threads'); if (w.isMainThread) new w.Worker(__filename).on('message', console.log); else w.parentPort.postMessage('child')"):
            kernel = self.fresh()
            kernel.once(code)
            self.assertEqual(kernel.out, "child\n", kernel.err)

    def test_in_a_session(self):
        kernel = self.fresh()
        kernel.run("const w = require('worker_threads'); if (w.isMainThread) new w.Worker(__filename).on('message', console.log); else w.parentPort.postMessage('child')")
        self.assertEqual((kernel.out, os.listdir(kernel.home)), ("child\n", []), kernel.err)
        self.assertEqual(kernel.run("require.main === module && module.children.length").main["text/plain"], "0")

    def test_a_file_of_the_users_stays(self):
        with open(os.path.join(self.kernel.home, "main.js"), "w") as file:
            file.write("mine")
        self.kernel.once("console.log(require('fs').readFileSync(__filename, 'utf8'))")
        self.assertEqual((self.kernel.out, os.listdir(self.kernel.home)), ("mine\n", ["main.js"]))

    def test_a_module_that_was_rewritten(self):
        write = "require('fs').writeFileSync('./h.js', 'exports.v = %d'); 0"
        self.kernel.run(write % 1)
        self.assertEqual(self.value("require('./h').v"), "1")
        self.kernel.run("require('./h').v = 7")
        self.assertEqual(self.value("require('./h').v"), "7")
        self.kernel.run(write % 2)
        self.assertEqual(self.value("require('./h').v"), "2")


class Words(NodeCase):
    """A mistake is told in V8's words, and an import of what is not there is one."""

    def test_syntax(self):
        for code, message, line in (
            ("function f() {\n  const r = await g();\n}", "await is only valid in async functions and the top level bodies of modules", 2),
            ("const f = () => {\n  await 1\n}", "await is only valid", 2),
            ("await 1\nfunction f() {\n", "Unexpected end of input", 3),
            ("import a from 'a'\nconst x = ;", "Unexpected token ';'", 2),
            ("export const x = 1 1", "Invalid or unexpected token|Unexpected number", 1),
            ("await 1\nfoo('a'", "missing \\) after argument list", 2),
            ("if (1) {\n", "Unexpected end of input", 2),
        ):
            kernel = self.fresh()
            found = kernel.once(code).diagnostic
            self.assertRegex(found["message"], message, code)
            self.assertEqual((found["kind"], found["line"]), ("syntax", line), code)
            self.assertNotIn("Experimental", kernel.err)

    def test_missing_exports(self):
        for code, name in (("import { readfile } from 'node:fs'", "readfile"), ("import d, { nope as x } from 'path'", "nope"),
                           ("import d from './m.mjs'", "default")):
            for mode in ("once", "session"):
                kernel = self.fresh()
                with open(os.path.join(kernel.home, "m.mjs"), "w") as file:
                    file.write("export const a = 1")
                found = kernel.run(code, mode=mode).diagnostic
                self.assertEqual((found["name"], found["line"]), ("SyntaxError", 1), code)
                self.assertIn("does not provide an export named '%s'" % name, found["message"])

    def test_what_is_not_javascript(self):
        for code, word in (("enum C { A }", "TypeScript"), ("namespace N { }", "TypeScript"), ("@d class K {}", "TypeScript"), ("```js\n1\n```", "fences")):
            self.assertIn(word, self.fresh().once(code).diagnostic["hint"] or "", code)


    def test_names_of_hosts(self):
        code = "const e = Object.assign(new Error('x'), { code: 'ENOTFOUND' }); throw %s"
        for thrown in ("e", "new TypeError('fetch failed', { cause: e })"):
            self.assertIn("network", self.fresh().once(code % thrown).diagnostic["hint"])


class Display(NodeCase):
    """JSON is there where it says all that the value holds."""

    def test_values_without_a_word_in_json(self):
        for value in ("({ m: new Map([[1, 2]]) })", "[new Set([1])]", "({ a: NaN })", "[-0]", "[undefined]", "[, 1]", "({ f() {} })", "[1n]",
                      "({ d: new Date(0) })", "({ e: new Error('x') })", "[/x/]", "({ [Symbol('s')]: 1 })", "(() => { const a = []; a.push(a); return a })()",
                      "Object.assign([1], { extra: 2 })", "[new (class K {})()]"):
            self.assertNotIn("application/json", self.kernel.run(value).main, value)

    def test_values_with_one(self):
        for value, expected in (("({ a: [1, 'x', null, true, { b: {} }] })", {"a": [1, "x", None, True, {"b": {}}]}), ("[[]]", [[]]),
                                ("Object.assign(Object.create(null), { k: 1 })", {"k": 1})):
            self.assertEqual(json.loads(self.kernel.run(value).main["application/json"]), expected)

    def test_a_bundle_of_the_users(self):
        code = "({ [Symbol.for('Jupyter.display')]() { return { 'application/json': %s, 'text/plain': 'x' } } })"
        self.assertEqual(json.loads(self.kernel.run(code % "'not json'").main["application/json"]), "not json")
        self.assertEqual(json.loads(self.kernel.run(code % "'[1]'").main["application/json"]), [1])
