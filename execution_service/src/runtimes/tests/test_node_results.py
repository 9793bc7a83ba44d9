"""Results of the Node kernel: a value's own forms, and JSON that is valid whatever is in it."""

import json
import unittest

from node_driver import COMMAND, NodeKernel, skip_without_node


def setUpModule():
    skip_without_node("test_node_results")


class Results(unittest.TestCase):
    def setUp(self):
        self.kernel = NodeKernel(COMMAND)
        self.addCleanup(self.kernel.__exit__)

    def own(self, body, mime="application/json"):
        """What an object shows that says so itself."""
        answer = self.kernel.run("({ [Symbol.for('Jupyter.display')]() { %s } })" % body)
        self.written = self.kernel.err
        self.assertEqual(answer.exit_code, 0, self.written)
        return answer.main.get(mime)

    def test_data_without_a_word_in_json(self):
        for data, expected in (
            ("{ n: 10n, large: 2n ** 70n, x: [NaN, Infinity, -0] }", {"n": 10, "large": "1180591620717411303424", "x": [None, None, 0]}),
            ("{ m: new Map([['k', 1]]), pairs: new Map([[{ a: 1 }, 2]]) }", {"m": {"k": 1}, "pairs": [[{"a": 1}, 2]]}),
            ("{ s: new Set([1, new Set()]), d: new Date(0), none: new Date(NaN) }",
             {"s": [1, []], "d": "1970-01-01T00:00:00.000Z", "none": None}),
            ("{ r: /x/g, e: new TypeError('no'), f() {}, u: undefined, holes: [, 1] }",
             {"r": "/x/g", "e": "TypeError: no", "holes": [None, 1]}),
            ("{ toJSON() { return new Set([1n]) } }", [1]),
            ("JSON.parse('{\"__proto__\": 1}')", {"__proto__": 1}),
            ("{ k: '\\ud800' }", {"k": "\ufffd"}),
            ("'[1, 2]'", [1, 2]),
            ("'[NaN]'", "[NaN]"),
        ):
            self.assertEqual(json.loads(self.own("return { 'application/json': %s }" % data)), expected, data)
        self.assertEqual(self.own("return { 'application/geo+json': { x: 1n } }", "application/geo+json"), '{"x":1}')

    def test_data_without_an_end(self):
        for data in ("const a = [1]; a.push(a, { a })", "let a = []; for (let i = 0; i < 1e5; i++) a = [a]",
                     "const a = new Map(); a.set('k', a).set('l', a)", "let a = 1; for (let i = 0; i < 60; i++) a = [a, a]"):
            self.assertIsNone(self.own(data + "; return { 'application/json': a }"), data)
            self.assertEqual(set(self.kernel.run(data + "; a").main), {"text/plain"}, data)
        self.assertEqual(json.loads(self.own("const a = [1]; return { 'application/json': [a, a] }")), [[1], [1]])

    def test_what_throws_costs_only_its_form(self):
        self.assertIsNone(self.own("throw new Error('no')"))
        self.assertIn("Error: no\n    at [Jupyter.display] (", self.written)
        self.assertNotIn("results.cjs", self.written)
        self.assertIsNone(self.own("return { 'application/json': { get a() { throw 1 } } }"))
        self.assertIsNone(self.own("return { 'application/json': { toJSON() { throw 1 } } }"))
        self.assertIsNone(self.own("return null"))
        for value in ("new Proxy({}, { get(t, k) { throw new Error(String(k)) } })",
                      "({ get [Symbol.for('Jupyter.display')]() { throw 1 } })"):
            answer = self.kernel.run(value)
            self.assertEqual((answer.exit_code, set(answer.main), self.kernel.err), (0, {"text/plain"}, ""), value)

    def test_lone_surrogates_are_no_json(self):
        self.assertEqual(self.kernel.run("({ k: '\\ud800', '\\udfff': '\\\\ud800', ok: '😀' })").main["application/json"],
                         '{"k":"\ufffd","\ufffd":"\\\\ud800","ok":"😀"}')


if __name__ == "__main__":
    unittest.main()
