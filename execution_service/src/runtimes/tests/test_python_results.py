"""Rich results of the Python kernel: bundles, display(), figures, and libraries that show something."""

import base64
import json
import sys
import unittest

from test_python_kernel import PythonCase, has


class Results(PythonCase):
    def test_rich_object(self):
        answer = self.kernel.run(
            "class R:\n    def _repr_html_(self): return '<b>x</b>'\n    def _repr_png_(self): return b'\\x89PNG'\n"
            "    def _repr_json_(self): return {'a': [1]}\n    def __repr__(self): return 'R!'\nR()")
        self.assertEqual(answer.main, {
            "text/plain": "R!", "text/html": "<b>x</b>", "image/png": base64.b64encode(b"\x89PNG").decode(),
            "application/json": '{"a": [1]}'})

    def test_display_builtin(self):
        answer = self.kernel.run("display(1)\ndisplay({'text/html': '<i>'}, raw=True)\n2")
        self.assertEqual(answer.shown, [{"text/plain": "1"}, {"text/html": "<i>"}])
        self.assertEqual(answer.main, {"text/plain": "2"})

    def test_failing_rich_form_is_left_out(self):
        answer = self.kernel.run("class R:\n    def _repr_html_(self): 1/0\n    def __repr__(self): return 'R'\nR()")
        self.assertEqual((answer.exit_code, answer.main), (0, {"text/plain": "R"}))
        self.assertIn("ZeroDivisionError", self.kernel.err)

    def test_sizes_are_bounded(self):
        self.assertLess(len(self.kernel.run("'x' * (3 << 20)").main["text/plain"]), (1 << 20) + 100)
        answer = self.kernel.run("class R:\n    def _repr_html_(self): return 'x' * (9 << 20)\nR()")
        self.assertNotIn("text/html", answer.main)
        self.assertIn("text/html left out", answer.main["text/plain"])
        answer = self.kernel.run("raise ValueError('v' * (1 << 20))")
        self.assertLess(len(json.dumps(answer.diagnostic)), 200_000)

    def test_lone_surrogate(self):
        self.assertEqual(self.kernel.run("'\\ud800'").main, {"text/plain": "'\\ud800'"})
        self.assertEqual(self.kernel.run("raise ValueError('\\ud800')").diagnostic["message"], "?")

    def test_matplotlib(self):
        if not has("matplotlib"):
            print("skipped: test_matplotlib (matplotlib is not importable)", file=sys.stderr)
            self.skipTest("no matplotlib")
        answer = self.kernel.run(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()\ndisplay('between')\nplt.figure()\nplt.plot([3])\nplt.figure()\nNone")
        kinds = ["image/png" in mime for mime in answer.shown]
        self.assertEqual(kinds, [True, False, True], self.kernel.err)  # an empty figure is no result
        self.assertTrue(base64.b64decode(answer.shown[0]["image/png"]).startswith(b"\x89PNG"))
        self.assertEqual(self.kernel.run("plt.get_fignums()").main, {"text/plain": "[]"})
        answer = self.kernel.run("fig, ax = plt.subplots()\nfig")
        self.assertIn("image/png", answer.main)
        self.assertEqual(answer.shown, [])
        self.assertEqual(len(self.kernel.run("plt.plot([1])\n1/0").shown), 1)
        self.assertEqual(len(self.kernel.run("fig, ax = plt.subplots()\nfig.show()").shown), 1)
        self.assertEqual(self.kernel.run("plt.title('$\\\\bad{$')\nNone").exit_code, 0)
        self.assertEqual(self.kernel.run("1").main, {"text/plain": "1"})

    def test_pandas(self):
        if not has("pandas"):
            print("skipped: test_pandas (pandas is not importable)", file=sys.stderr)
            self.skipTest("no pandas")
        answer = self.kernel.run("import pandas as pd\npd.DataFrame({'a': [1, 2]})")
        self.assertIn("<table", answer.main["text/html"])
        self.assertEqual(answer.main["text/plain"], "   a\n0  1\n1  2")

    def test_ipython_display(self):
        if not has("IPython"):
            print("skipped: test_ipython_display (IPython is not importable)", file=sys.stderr)
            self.skipTest("no IPython")
        answer = self.kernel.run("from IPython.display import display, HTML, Markdown\ndisplay(HTML('<b>'))\nMarkdown('# x')")
        self.assertEqual(answer.shown[0]["text/html"], "<b>")
        self.assertEqual(answer.main["text/markdown"], "# x")

    def test_pillow_and_plotly(self):
        if not (has("PIL") and has("plotly")):
            print("skipped: test_pillow_and_plotly (not importable)", file=sys.stderr)
            self.skipTest("no PIL or plotly")
        answer = self.kernel.run("from PIL import Image\nimage = Image.new('RGB', (2, 2))\nimage.show()\nimage")
        self.assertIn("image/png", answer.main)
        self.assertEqual(len(answer.shown), 1, self.kernel.err)
        answer = self.kernel.run("import plotly.graph_objects as go\ngo.Figure(data=[go.Bar(y=[1, 2])])")
        self.assertIn("application/vnd.plotly.v1+json", answer.main)
        self.assertEqual(len(self.kernel.run("go.Figure().show()").shown), 1, self.kernel.err)
        self.assertIn("data", json.loads(answer.main["application/vnd.plotly.v1+json"]))


if __name__ == "__main__":
    unittest.main()
