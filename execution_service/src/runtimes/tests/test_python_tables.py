"""Tables as data; libraries with forms of their own; JSON that is valid whatever is in it."""

import json
import unittest

from test_python_charts import MATPLOTLIB, needs, strict
from test_python_kernel import PythonCase

TABLE = "application/vnd.crucible.table+json"
PANDAS = "import pandas as pd, numpy as np\n"


class ResultCase(PythonCase):
    def result(self, code):
        answer = self.kernel.run(code)
        written = self.kernel.err
        self.assertEqual((answer.exit_code, written), (0, ""))
        for mime, text in answer.main.items():
            if mime.endswith("json"):
                strict(text)
        return answer.main

    def table(self, code):
        return strict(self.result(code)[TABLE])


@needs("pandas")
class Tables(ResultCase):
    def test_columns_and_their_types(self):
        table = self.table(PANDAS + "pd.DataFrame({'n': [1, 2], 'x': [1.5, float('nan')], 'b': [True, False],\n"
                           "    't': pd.to_datetime(['2024-01-01', None]), 'o': [{'k': 1}, None]})")
        self.assertEqual((table["shape"], table["index"], table["truncated"]), ([2, 5], [], False))
        self.assertEqual([(one["name"], one["values"]) for one in table["columns"]], [
            ("n", [1, 2]), ("x", [1.5, None]), ("b", [True, False]), ("t", ["2024-01-01T00:00:00", None]),
            ("o", ["{'k': 1}", None])])
        types = [one["dtype"] for one in table["columns"]]
        self.assertEqual((types[:3], types[3][:10], types[4]), (["int64", "float64", "bool"], "datetime64", "object"))

    def test_what_json_has_no_word_for(self):
        table = self.table(PANDAS + """
import decimal, datetime, fractions
pd.DataFrame({'v': pd.Series([float('inf'), np.float32(0.5), np.int64(7), decimal.Decimal('1.10'), b'\\x00', 1 + 2j,
    datetime.date(2024, 2, 3), datetime.timedelta(1), pd.NaT, pd.NA, np.datetime64('2024-01-01T00:00:00.5', 'ns'),
    pd.Period('2024-01'), (1, 2), 10 ** 1000, '\\ud800', {3}, np.array([1]), 'x' * 2000], dtype=object)})""")
        values = table["columns"][0]["values"]
        self.assertEqual(values[:13], [
            None, 0.5, 7, "1.10", "b'\\x00'", "(1+2j)", "2024-02-03", "1 day, 0:00:00", None, None,
            "2024-01-01T00:00:00.500", "2024-01", "(1, 2)"])
        self.assertEqual((values[13], values[14], values[15], values[16], len(values[17])),
                         ("an integer of 3322 bits", "?", "{3}", "[1]", 1001))

    def test_extension_types(self):
        table = self.table(PANDAS + "pd.DataFrame({'i': pd.array([1, None], dtype='Int64'), 'c': pd.Categorical(['a', 'b']),\n"
                           "    'z': pd.to_datetime(['2024-01-01', '2024-01-02']).tz_localize('UTC'),\n"
                           "    's': pd.array(['x', None], dtype='string')})")
        self.assertEqual([one["values"] for one in table["columns"]], [
            [1, None], ["a", "b"], ["2024-01-01T00:00:00+00:00", "2024-01-02T00:00:00+00:00"], ["x", None]])
        self.assertEqual(table["columns"][0]["dtype"], "Int64")

    def test_index(self):
        table = self.table(PANDAS + "df = pd.DataFrame({'g': ['a', 'b', 'a'], 'h': [1, 2, 3], 'v': [1, 2, 3]})\n"
                           "df.groupby(['g', 'h']).sum()")
        self.assertEqual([(one["name"], one["values"]) for one in table["index"]],
                         [("g", ["a", "a", "b"]), ("h", [1, 3, 2])])
        self.assertEqual(self.table("df[df.h > 1]")["index"][0]["values"], [1, 2])
        table = self.table("df.groupby('g').agg({'v': ['sum', 'max']})")
        self.assertEqual([one["name"] for one in table["columns"]], ["('v', 'sum')", "('v', 'max')"])
        table = self.table("pd.DataFrame([[1, 2], [3, 4]], columns=['same', 'same'])")
        self.assertEqual([one["values"] for one in table["columns"]], [[1, 3], [2, 4]])

    def test_series(self):
        table = self.table(PANDAS + "pd.Series([1, 2], ['a', 'b'], name='s')")
        self.assertEqual((table["shape"], table["columns"][0]["name"], table["index"][0]["values"]),
                         ([2, 1], "s", ["a", "b"]))
        self.assertIsNone(self.table("pd.Series([1.0])")["columns"][0]["name"])
        self.assertEqual(self.table("pd.DataFrame()")["columns"], [])

    def test_bounds(self):
        table = self.table(PANDAS + "pd.DataFrame({'a': range(1_000_000)})")
        self.assertEqual((table["shape"], len(table["columns"][0]["values"]), table["truncated"]),
                         ([1_000_000, 1], 1000, True))
        table = self.table("pd.DataFrame(np.zeros((1000, 1000)))")
        self.assertEqual((len(table["columns"]), len(table["columns"][0]["values"])), (200, 100))
        main = self.result("pd.DataFrame({'a': ['é' * 900] * 1000, 'b': 1})")
        table = strict(main[TABLE])
        self.assertLess(len(main[TABLE]), 300_000)
        self.assertTrue(table["truncated"] and 100 < len(table["columns"][0]["values"]) < 1000)
        self.assertEqual({len(one["values"]) for one in table["columns"]}, {len(table["columns"][0]["values"])})

    def test_hostile_frames_cost_the_data_only(self):
        for trick in ("def iloc(self): raise SystemExit", "def columns(self):\n        while not_repr(): pass",
                      "def shape(self): return (10 ** 9, 10 ** 9)"):
            answer = self.kernel.run(
                PANDAS + "import sys\ndef not_repr(): return sys._getframe(2).f_code.co_name == 'of_pandas'\n"
                "class F(pd.DataFrame):\n    @property\n    %s\n"
                "    def _repr_html_(self): return '<b>'\n    def __repr__(self): return 'F'\nF({'a': [1]})" % trick)
            written = self.kernel.err
            self.assertEqual((answer.exit_code, answer.main["text/plain"], answer.main["text/html"]),
                             (0, "F", "<b>"), written)
        main = self.result("class L:\n    __class__ = pd.DataFrame\n    def __repr__(self): return 'L'\nL()")
        self.assertEqual(main, {"text/plain": "L"})

    @needs("polars")
    def test_polars(self):
        table = self.table("import polars as pl\npl.DataFrame({'a': [1, None], 'd': [[1], [2]]})")
        self.assertEqual(table["columns"], [
            {"name": "a", "dtype": "Int64", "values": [1, None]},
            {"name": "d", "dtype": "List(Int64)", "values": ["[1]", "[2]"]}])
        self.assertEqual(self.table("pl.Series('s', [1.5])")["columns"][0]["values"], [1.5])


class Libraries(ResultCase):
    @needs("plotly")
    def test_plotly(self):
        main = self.result("import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1, float('nan'), float('inf')]))")
        figure = strict(main["application/vnd.plotly.v1+json"])
        self.assertEqual(figure["data"][0]["y"], [1, None, None])
        self.assertIn("plotly-graph-div", main["text/html"])

    @needs("altair", "pandas")
    def test_altair(self):
        main = self.result("import altair as alt, pandas as pd\n"
                           "alt.Chart(pd.DataFrame({'a': [1.0, float('nan')]})).mark_bar().encode(x='a')")
        mime, = (name for name in main if name.startswith("application/vnd.vegalite.v"))
        self.assertEqual(strict(main[mime])["mark"]["type"], "bar")
        self.assertIn("<div", main["text/html"])

    @needs("sympy")
    def test_sympy(self):
        main = self.result("import sympy\nsympy.Symbol('x') ** 2")
        self.assertEqual(main["text/latex"], "$\\displaystyle x^{2}$")

    @needs("PIL")
    def test_pillow(self):
        self.assertIn("image/png", self.result("from PIL import Image\nImage.new('RGB', (2, 2))"))

    @needs("networkx", "matplotlib")
    def test_networkx(self):
        answer = self.kernel.run(MATPLOTLIB + "import networkx as nx\nnx.draw(nx.path_graph(3))\nplt.show()")
        chart = strict(answer.shown[0]["application/vnd.crucible.chart+json"])
        self.assertEqual((chart["type"], len(chart["elements"][0]["points"])), ("scatter", 3))

    def test_what_only_has_methods(self):
        main = self.result(
            "class Map:\n    def _repr_html_(self): return '<map>'\n    def _repr_svg_(self): return '<svg>'\n"
            "    def _repr_mimebundle_(self, include=None, exclude=None):\n"
            "        return {'application/geo+json': {'bbox': (1, float('nan'))}, 7: 'no name'}, {'meta': 1}\n"
            "    def __repr__(self): return 'map'\nMap()")
        self.assertEqual(main, {"text/plain": "map", "text/html": "<map>", "image/svg+xml": "<svg>",
                                "application/geo+json": '{"bbox": [1, null]}'})


class Json(ResultCase):
    def json(self, expression, before=""):
        main = self.result("class J:\n    def __init__(self, v): self.v = v\n    def _repr_json_(self): return self.v\n"
                           "    def __repr__(self): return 'J'\n%s\nJ(%s)" % (before, expression))
        return strict(main["application/json"]) if "application/json" in main else "absent"

    def test_words_of_python(self):
        for expression, value in (
            ("float('nan')", None),
            ("[float('inf'), -float('inf'), 1.5]", [None, None, 1.5]),
            ("{None: 1, True: 2, 3: 4, (5, 6): 7, float('nan'): 8}", {"null": 1, "true": 2, "3": 4, "(5, 6)": 7, "nan": 8}),
            ("{b'k': b'v'}", {"b'k'": "b'v'"}),
            ("[{1, }, frozenset((2, )), (3, )]", [[1], [2], [3]]),
            ("'\\ud800'", "?"),
            ("{'\\udfff': [float('nan')]}", {"?": [None]}),
            ("'{\"a\": NaN}'", {"a": None}),
            ("'no json'", "no json"),
            ("1j", "1j"),
            ("object", "<class 'object'>"),
        ):
            self.assertEqual(self.json(expression), value, expression)

    def test_words_of_the_library(self):
        before = "import datetime, decimal, uuid, enum, pathlib\nclass E(enum.Enum): A = 1"
        self.assertEqual(
            self.json("{'d': datetime.date(2024, 1, 2), 't': datetime.datetime(2024, 1, 2, 3), 'n': decimal.Decimal('1.10'),"
                      "'u': uuid.UUID(int=0), 'e': E.A, 'p': pathlib.Path('x'), datetime.date(2024, 1, 2): 1}", before),
            {"d": "2024-01-02", "t": "2024-01-02T03:00:00", "n": "1.10", "u": "00000000-0000-0000-0000-000000000000",
             "e": "E.A", "p": "x", "2024-01-02": 1})

    @needs("numpy")
    def test_words_of_numpy(self):
        before = "import numpy as np"
        self.assertEqual(
            self.json("{'f': np.float32(0.5), 'a': np.array([[1, 2]]), 'n': np.array([np.nan]), 'b': np.bool_(True),"
                      "'d': np.datetime64('2024-01-01', 'ns'), np.int64(3): 1}", before),
            {"f": 0.5, "a": [[1, 2]], "n": [None], "b": True, "d": "2024-01-01T00:00:00.000000000", "3": 1})

    def test_what_has_no_end(self):
        self.assertEqual(self.json("x", "x = [1]; x.append(x); x.append(x)"), "absent")
        self.assertEqual(self.json("x", "x = {}; x['y'] = {'x': x, 'z': x}"), "absent")
        self.assertEqual(self.json("[x, x]", "x = [1]"), [[1], [1]])  # twice is no circle
        self.assertEqual(self.json("x", "x = []\nfor _ in range(100_000): x = [x]"), "absent")
        self.assertEqual(self.json("x", "class T:\n    def tolist(self): return T()\nx = T()"), "absent")

    def test_what_raises(self):
        self.assertEqual(self.json("x", "class B:\n    def __str__(self): raise OSError\nx = [B()]"), "absent")
        self.assertEqual(self.json("x", "class B(dict):\n    def items(self): raise OSError\nx = B(a=float('nan'))"), "absent")

    def test_bundles_of_the_user(self):
        answer = self.kernel.run("display({'application/json': {'a': float('nan')}, 'application/x+json': '[NaN]', 5: 6}, raw=True)")
        self.assertEqual(answer.shown, [{"application/json": '{"a": null}', "application/x+json": "[null]"}])


del ResultCase, PythonCase
if __name__ == "__main__":
    unittest.main()
