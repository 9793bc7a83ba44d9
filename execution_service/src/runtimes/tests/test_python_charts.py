"""Figures as data, and figures as pictures: which are sent, and when."""

import base64
import json
import sys
import unittest

from test_python_kernel import PythonCase, has

CHART = "application/vnd.crucible.chart+json"
PNG = "image/png"
MATPLOTLIB = "import matplotlib.pyplot as plt\n"
# By type, what a client of E2B's reads without asking whether it is there.
PLANE = {"x_label", "y_label", "x_unit", "y_unit"}
AXES = {name + part for name in "xy" for part in ("_ticks", "_tick_labels", "_scale")}
KEYS = {
    "line": PLANE | AXES, "scatter": PLANE | AXES, "bar": PLANE, "box_and_whisker": PLANE, "pie": set(),
    "superchart": set(), "unknown": set(),
}


def needs(*modules):
    missing = [module for module in modules if not has(module)]

    def decorate(test):
        if missing:
            print("skipped: %s (%s is not importable)" % (test.__name__, ", ".join(missing)), file=sys.stderr)
        return unittest.skipIf(missing, "missing: " + ", ".join(missing))(test)

    return decorate


def strict(text):
    def refuse(name):
        raise AssertionError("%s is no JSON" % name)

    return json.loads(text, parse_constant=refuse)


class ChartCase(PythonCase):
    def charts(self, code):
        answer = self.kernel.run(MATPLOTLIB + code + "\nNone")
        self.written = self.kernel.err
        self.assertEqual(answer.exit_code, 0, self.written)
        for mime in answer.shown:
            self.assertIn(PNG, mime)
        return [strict(mime[CHART]) if CHART in mime else None for mime in answer.shown]

    def chart(self, code):
        found = self.charts(code)
        self.assertEqual(len(found), 1, found)
        chart = found[0]
        self.assert_complete(chart)
        self.assertIs(chart.pop("truncated"), False)
        return chart

    def assert_complete(self, chart):
        self.assertLessEqual({"type", "title", "elements"} | KEYS[chart["type"]], set(chart))
        if chart["type"] == "superchart":
            for part in chart["elements"]:
                self.assert_complete(part)


@needs("matplotlib")
class Charts(ChartCase):
    def test_lines(self):
        chart = self.chart(
            "plt.plot([1, 2, 3], [4, float('nan'), 6], label='L'); plt.plot([0, 1], [5, 5])\n"
            "plt.axhline(3); plt.grid(); plt.title('T'); plt.xlabel('time (s)'); plt.ylabel('U [V]')")
        self.assertEqual((chart["type"], chart["title"]), ("line", "T"))
        self.assertEqual(chart["elements"], [
            {"label": "L", "points": [[1.0, 4.0], [2.0, None], [3.0, 6.0]]},
            {"label": "Line 1", "points": [[0.0, 5.0], [1.0, 5.0]]}])
        self.assertEqual([chart[key] for key in ("x_label", "x_unit", "y_label", "y_unit")],
                         ["time (s)", "s", "U [V]", "V"])
        self.assertEqual((chart["x_scale"], chart["y_scale"]), ("linear", "linear"))
        self.assertEqual(len(chart["x_ticks"]), len(chart["x_tick_labels"]))

    def test_scales(self):
        for code, scale, first in (
            ("plt.plot([datetime.date(2024, 1, 1), datetime.date(2024, 1, 2)], [1, 2])", "datetime", "2024-01-01"),
            ("plt.plot(['p', 'q'], [1, 2])", "categorical", "p"),
            ("plt.plot([1, 2], [1, 2]); plt.xscale('log')", "log", 1.0),
            ("plt.scatter([datetime.datetime(2024, 1, 1, 6)], [1])", "datetime", "2024-01-01T06:00:00+00:00"),
        ):
            chart = self.chart("import datetime\n" + code)
            self.assertEqual((chart["x_scale"], chart["elements"][0]["points"][0][0]), (scale, first), code)

    def test_points(self):
        chart = self.chart("plt.scatter([1, 2], [3, 4], c=[5, 6], label='S'); plt.colorbar()")
        self.assertEqual(chart["type"], "scatter")  # the bar of colours is no chart of its own
        self.assertEqual(chart["elements"], [{"label": "S", "points": [[1.0, 3.0], [2.0, 4.0]]}])

    def test_bars(self):
        for code, elements in (
            ("plt.bar(['a', 'b'], [1, -2])", [("a", "Group 0", 1), ("b", "Group 0", -2)]),
            ("plt.barh(['a', 'b'], [1, 2])", [("a", "Group 0", 1), ("b", "Group 0", 2)]),
            ("plt.bar(['a', 'b'], [2, 2])", [("a", "Group 0", 2), ("b", "Group 0", 2)]),
            ("plt.bar([2019, 2020], [1, 2], yerr=[.1, .2])", [("2019", "Group 0", 1), ("2020", "Group 0", 2)]),
            ("plt.bar([-.2, .8], [1, 2], .4, label='A'); plt.bar([.2, 1.2], [3, 4], .4, label='B')\n"
             "plt.xticks([0, 1], ['p', 'q'])", [("p", "A", 1), ("q", "A", 2), ("p", "B", 3), ("q", "B", 4)]),
            ("plt.bar([1, 2], [3, 4]); plt.gca().xaxis.set_major_formatter(lambda x, _: 'x')",
             [("1", "Group 0", 3), ("2", "Group 0", 4)]),
            ("plt.hist([1, 1, 3], bins=2)", [("1 to 2", "Group 0", 2), ("2 to 3", "Group 0", 1)]),
        ):
            chart = self.chart(code)
            self.assertEqual(chart["type"], "bar")
            found = [(one["label"], one["group"], one["value"]) for one in chart["elements"]]
            self.assertEqual(found, elements, code)
        chart = self.chart("plt.barh(['a'], [1]); plt.xlabel('n'); plt.ylabel('name')")
        self.assertEqual((chart["x_label"], chart["y_label"]), ("name", "n"))

    def test_boxes(self):
        for more in ("", ", patch_artist=True", ", notch=True, showmeans=True", ", vert=False"):
            chart = self.chart(
                "import warnings; warnings.simplefilter('ignore')\n"
                "plt.boxplot([[1, 2, 2, 2, 3, 3, 3, 4, 4, 20, 30], [2, 3, 4]]%s)\n"
                "(plt.yticks if 'vert' in '%s' else plt.xticks)([1, 2], ['x', 'y'])" % (more, more))
            self.assertEqual(chart["type"], "box_and_whisker", more)
            first, second = chart["elements"]
            self.assertEqual(list(second.values()), ["y", 2, 2.5, 3, 3.5, 4, []], more)
            self.assertEqual((first["label"], first["min"], first["median"], first["outliers"]), ("x", 1, 3, [20, 30]))
        # Flat ones: whiskers without length.
        chart = self.chart("plt.boxplot([[1, 1, 1], [5, 6]])")
        self.assertEqual([one["median"] for one in chart["elements"]], [1, 5.5])
        self.assertEqual(self.chart("plt.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0])")["type"], "line")  # a square

    def test_pies(self):
        chart = self.chart(
            "plt.pie([1, 3], labels=['a', 'b'], autopct='%d%%')\nplt.gca().add_artist(plt.Circle((0, 0), .5))")
        self.assertEqual(chart["elements"], [
            {"label": "a", "angle": 90.0, "radius": 1}, {"label": "b", "angle": 270.0, "radius": 1}])

    def test_several(self):
        chart = self.chart(
            "fig, ((a, b), (c, d)) = plt.subplots(2, 2)\na.plot([1, 2]); b.bar(['p'], [1]); c.imshow([[1, 2]])\n"
            "fig.suptitle('S'); a.set_title('left', loc='left')")
        self.assertEqual((chart["type"], chart["title"]), ("superchart", "S"))
        self.assertEqual([part["type"] for part in chart["elements"]], ["line", "bar", "unknown"])
        self.assertEqual(chart["elements"][0]["title"], "left")
        self.assertEqual(self.charts("plt.text(.5, .5, 'only words')"), [None])
        for code in ("plt.axes(projection='3d').plot([1, 2], [1, 2], [1, 2])", "plt.fill_between([1, 2], [1, 2])"):
            self.assertEqual((self.chart(code)["type"], self.chart(code)["elements"]), ("unknown", []), code)

    def test_many_points_are_thinned_out(self):
        chart, = self.charts("plt.plot(range(100_000)); plt.plot(range(10), label='short')")
        long, short = (one["points"] for one in chart["elements"])
        self.assertIs(chart["truncated"], True)
        self.assertTrue(1000 < len(long) <= 5000 and long[0] == [0.0, 0.0] and long[-1][0] > 99_000, len(long))
        self.assertEqual(len(short), 10)
        chart, = self.charts("for _ in range(201): plt.bar([1], [2])")
        self.assertEqual((len(chart["elements"]), chart["truncated"]), (200, True))
        charts = self.charts("fig, axes = plt.subplots(9, 9)\nfor ax in axes.flat: ax.plot([1, 2])")
        self.assertEqual((len(charts[0]["elements"]), charts[0]["truncated"]), (64, True))

    def test_data_of_a_run_is_bounded_and_pictures_are_not(self):
        answer = self.kernel.run(
            MATPLOTLIB + "for _ in range(30):\n    fig = plt.figure(figsize=(1, 1))\n"
            "    plt.plot([i / 7 for i in range(5000)])\n    plt.show()")
        with_data = [CHART in mime for mime in answer.shown]
        self.assertEqual((len(with_data), with_data[0], with_data[-1]), (30, True, False))
        self.assertTrue(all(PNG in mime for mime in answer.shown))
        self.assertIsNotNone(self.charts("plt.plot([1])")[0])  # another run has room of its own

    @needs("seaborn")
    def test_seaborn(self):
        frame = ("import seaborn as sns, pandas as pd\n"
                 "df = pd.DataFrame({'g': list('aabbcc') * 3, 'v': [1, 2, 3, 4, 5, 9] * 3, 'h': list('xyxyxy') * 3})\n")
        chart = self.chart(frame + "sns.barplot(df, x='g', y='v', hue='h')")
        self.assertEqual([one["group"] for one in chart["elements"]], list("xxxyyy"))
        self.assertEqual([one["label"] for one in chart["elements"]], list("abcabc"))
        self.assertEqual(self.chart(frame + "sns.lineplot(df, x='g', y='v')")["type"], "line")
        self.assertEqual(self.chart(frame + "sns.boxplot(df, x='g', y='v')")["elements"][2]["max"], 9)
        self.assertEqual(self.chart(frame + "sns.histplot(df, x='v', kde=True)")["type"], "bar")
        self.assertEqual(self.chart(frame + "sns.relplot(df, x='v', y='v', col='g')")["type"], "superchart")

    @needs("pandas")
    def test_pandas(self):
        chart = self.chart("import pandas as pd\npd.Series([1, 2], pd.date_range('2024-01', periods=2, freq='MS')).plot()")
        self.assertEqual((chart["x_scale"], chart["elements"][0]["points"]),
                         ("datetime", [["2024-01", 1.0], ["2024-02", 2.0]]))
        chart = self.chart("import pandas as pd\npd.DataFrame({'n': [1, 2]}, ['p', 'q']).plot.bar()")
        self.assertEqual(chart["elements"][1], {"label": "q", "group": "n", "value": 2})


@needs("matplotlib")
class Hostile(ChartCase):
    def assert_only_a_picture(self, code):
        answer = self.kernel.run(MATPLOTLIB + code)
        self.assertEqual(answer.exit_code, 0, self.kernel.err)
        bundle = answer.main or answer.shown[0]
        self.assertTrue(PNG in bundle and CHART not in bundle, (set(bundle), self.kernel.err))

    def test_what_raises(self):
        for error in ("ValueError", "SystemExit", "KeyboardInterrupt", "RecursionError", "MemoryError"):
            self.assert_only_a_picture(
                "line, = plt.plot([1, 2])\nfig = plt.gcf()\n"
                "class Line(type(line)):\n    def get_label(self): raise %s()\nline.__class__ = Line\nfig" % error)

    def test_what_does_not_end(self):
        self.assert_only_a_picture(
            "line, = plt.plot([1, 2])\nfig = plt.gcf()\nclass Line(type(line)):\n    def get_label(self):\n"
            "        while True:\n            try:\n                pass\n            except Exception: pass\n"
            "line.__class__ = Line\nfig")

    def test_a_timer_of_the_program_goes_on(self):
        answer = self.kernel.run(
            MATPLOTLIB + "import signal, time\nrung = []\nsignal.signal(signal.SIGALRM, lambda *_: rung.append(1))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.3)\nplt.plot([1])\nplt.show()\n"
            "while not rung: time.sleep(0.01)\nsignal.getitimer(signal.ITIMER_REAL)")
        self.assertEqual(answer.main, {"text/plain": "(0.0, 0.0)"})
        self.assertIn(CHART, answer.shown[0])

    def test_what_only_says_that_it_is_a_figure(self):
        answer = self.kernel.run(
            MATPLOTLIB + "class Liar:\n    __class__ = plt.Figure\n    def __repr__(self): return 'liar'\nLiar()")
        self.assertEqual((answer.exit_code, answer.main), (0, {"text/plain": "liar"}))
        answer = self.kernel.run("class Meta(type):\n    def __getattr__(cls, name): raise OSError(name)\n"
                                 "class Odd(metaclass=Meta):\n    def __repr__(self): return 'odd'\nOdd()")
        self.assertEqual((answer.exit_code, answer.main), (0, {"text/plain": "odd"}))

    def test_a_figure_that_cannot_be_drawn_fails_no_run(self):
        answer = self.kernel.run(MATPLOTLIB + "fig = plt.figure()\nplt.title('$\\\\bad{$')\nfig")
        self.assertEqual((answer.exit_code, set(answer.main)), (0, {"text/plain"}))
        self.assertEqual(self.kernel.err.count("ValueError:"), 1)  # once, and not again at the end of the run


@needs("matplotlib")
class Figures(ChartCase):
    def count(self, code):
        answer = self.kernel.run(MATPLOTLIB + code)
        self.assertEqual(answer.exit_code, 0, self.kernel.err)
        return sum(PNG in result["mime"] for result in answer.results)

    def test_each_open_figure_is_sent_once(self):
        for code, expected in (
            ("plt.plot([1])\nplt.show()\nplt.plot([2])", 2),
            ("plt.plot([1])\nplt.show()\nplt.show()", 1),
            ("fig, ax = plt.subplots()\nax.plot([1])\nplt.show()\nNone", 1),
            ("fig, ax = plt.subplots()\nax.plot([1])\nfig", 1),
            ("fig, ax = plt.subplots()\nax.plot([1])\ndisplay(fig)", 1),
            ("fig, ax = plt.subplots()\nax.plot([1])\nax", 1),
            ("fig, axes = plt.subplots(2, 2)\naxes", 1),
            ("for i in range(3): plt.figure(i); plt.plot([i])", 3),
            ("plt.figure(); plt.figure(); None", 0),
            ("plt.plot([1]); plt.close()", 0),
            ("plt.plot([1]); plt.clf()", 0),
            ("from matplotlib.figure import Figure\nf = Figure(); f.subplots().plot([1]); f", 1),
            ("plt.plot([1]); plt.gcf()", 1),
        ):
            self.assertEqual(self.count(code), expected, code)

    def test_what_is_saved_after_show_is_not_empty(self):
        for save in ("plt.savefig(%r)", "fig.savefig(%r)", "plt.gcf().savefig(%r)"):
            answer = self.kernel.run(
                MATPLOTLIB + "import os\nfig = plt.figure(); plt.plot([1, 2, 3])\nplt.savefig('before.png')\nplt.show()\n"
                + save % "after.png" + "\nos.path.getsize('after.png') > os.path.getsize('before.png') * 0.9")
            self.assertEqual(answer.main, {"text/plain": "True"}, save)
            self.assertEqual(len(answer.shown), 1)

    def test_nothing_is_imported_for_those_who_draw_nothing(self):
        answer = self.kernel.run(
            "import sys\n{name.split('.')[-1] for name in sys.modules} & "
            "{'matplotlib', 'pandas', 'charts', 'tables', 'deadline', 'fonts', 'logging'}")
        self.assertEqual(answer.main, {"text/plain": "set()"})


@needs("matplotlib", "fontTools")
class Characters(ChartCase):
    FONT = """
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
pen = TTGlyphPen(None)
pen.moveTo((0, 0)); pen.lineTo((0, 900)); pen.lineTo((900, 900)); pen.lineTo((900, 0)); pen.closePath()
box = pen.glyph()
font = FontBuilder(1000, isTTF=True)
font.setupGlyphOrder(['.notdef', 'box'])
font.setupCharacterMap({ord('中'): 'box'})
font.setupGlyf({'.notdef': box, 'box': box})
font.setupHorizontalMetrics({'.notdef': (1000, 0), 'box': (1000, 0)})
font.setupHorizontalHeader(ascent=900, descent=-100)
font.setupNameTable({'familyName': 'Noto Sans SC', 'styleName': 'Regular'})
font.setupOS2(); font.setupPost()
font.save('some.ttf')
from matplotlib import font_manager
"""

    def test_missing_ones_are_told_of_once(self):
        self.kernel.run(MATPLOTLIB + "from matplotlib import font_manager as f\n"
                        "f.fontManager.ttflist = [e for e in f.fontManager.ttflist if 'DejaVu' in e.name]")
        for _run in range(2):
            self.charts("plt.title('ꙮ中文测试'); plt.plot([1]); plt.tight_layout()")
            self.assertEqual(self.written.count("missing from"), 1)

    def test_a_missing_family_is_told_of_once(self):
        self.charts("plt.rcParams['font.family'] = 'No Such'\nplt.plot([1]); plt.title('a'); plt.xlabel('b')")
        self.assertEqual(self.written.count("No Such"), 1)

    def test_another_font_has_them(self):
        for family in ("", "plt.rcParams['font.family'] = 'SimHei'\n", "plt.rcParams['font.sans-serif'] = ['SimHei']\n"):
            kernel = self.kernel = self.fresh()
            answer = kernel.run(self.FONT + MATPLOTLIB + family +
                                "font_manager.fontManager.addfont('some.ttf')\nplt.title('中 x'); plt.plot([1])")
            self.assertEqual(answer.exit_code, 0, kernel.err)
            self.assertNotIn("missing from", kernel.err)


del ChartCase, PythonCase
if __name__ == "__main__":
    unittest.main()
