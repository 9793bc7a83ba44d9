"""What an answer has of what was shown, updated and cleared: the last state."""

import sys
import unittest

from test_python_ipython import WithIPython, has


class Display(WithIPython):
    def test_a_loop_that_clears(self):
        for wait in ("", "wait=True"):
            ran = self.cell("from IPython.display import clear_output, display\nfor n in range(50):\n    clear_output(%s)\n    print(n)\n    display(n)" % wait)
            self.assertEqual((ran.shown, ran.answer.clearings), (["49"], 50))
            self.assertTrue(ran.out.endswith("\n49\n"))
            self.assertNotIn("\x1b", ran.out)  # what the program wrote, and nothing of ours

    def test_a_handle_lives_in_later_runs(self):
        ran = self.session("h = display('a', display_id=True)", "h.update('b')\nh.update('c')", "from IPython.display import update_display\nupdate_display('d', display_id=h.display_id)", "h")
        self.assertEqual([run.shown for run in ran[:3]], [["'a'"], ["'c'"], ["'d'"]])
        self.assertIn("DisplayHandle display_id=", ran[3].value)

    def test_two_handles(self):
        ran = self.cell("a, b = display('a', display_id='a'), display('b', display_id='b')\nfor n in range(3):\n    a.update(n)\n    b.update(-n)")
        self.assertEqual(ran.shown, ["2", "-2"])

    def test_nothing_that_has_no_form(self):
        ran = self.cell("display({}, raw=True)\nfrom IPython.display import publish_display_data\npublish_display_data({})\nget_ipython().display_pub.publish({'text/plain': 'x'})")
        self.assertEqual((ran.shown, ran.answer.clearings), (["x"], 0))

    def test_the_shell_brings_the_same(self):
        ran = self.session("from IPython.display import display, clear_output, HTML", "%pwd\nh = display(1, display_id=True)\nh.update(2)\nclear_output()\ndisplay(HTML('<i>'))", "get_ipython().display_pub.clear_output(True)\nprint(1)")
        self.assertEqual([mime.get("text/html") for mime in ran[1].answer.shown], ["<i>"])
        self.assertEqual((ran[1].answer.clearings, ran[2].answer.clearings), (1, 1))

    def test_forms_that_are_registered(self):
        ran = self.session("class A: pass\nget_ipython().display_formatter.formatters['text/html'].for_type(A, lambda a: '<a>')", "A()", "display(A())", "%precision 2", "3.14159", "[1.5], 'x'")
        self.assertEqual([ran[1].answer.main["text/html"], ran[2].answer.shown[0]["text/html"]], ["<a>", "<a>"])
        self.assertEqual([run.value for run in ran[4:]], ["3.14", "([1.5], 'x')"])

    def test_progress_bars(self):
        if not has("tqdm"):
            print("skipped: test_progress_bars (tqdm is not importable)", file=sys.stderr)
            self.skipTest("no tqdm")
        for module in ("tqdm", "tqdm.auto", "tqdm.notebook", "tqdm.autonotebook"):
            ran = self.cell("from %s import tqdm, trange\nsum(tqdm(range(3))), len(list(trange(2)))" % module)
            self.assertEqual(ran.value, "(3, 2)")
            self.assertIn("\r100%", ran.err)
            self.assertEqual(ran.answer.shown, [])


if __name__ == "__main__":
    unittest.main()
