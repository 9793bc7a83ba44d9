"""What scripts expect of bash that were written elsewhere. Each test begins with the rule that was broken."""

import unittest

from bash_driver import BashKernel


class Habits(unittest.TestCase):
    def fresh(self):
        kernel = BashKernel()
        self.addCleanup(kernel.close)
        return kernel

    def both(self, code, out, status=0):
        """The same stateless and in a session, which lives on."""
        kernel = self.fresh()
        kernel.once(code)
        self.assertEqual((kernel.out, kernel.process.returncode), (out, status), code)
        kernel = self.fresh()
        kernel.run("kept=1")
        answer = kernel.run(code)
        self.assertEqual((kernel.out, answer.exit_code), (out, status), code)
        kernel.run("echo $kept")
        self.assertEqual(kernel.out, "1\n", code)


class TopLevel(Habits):
    """A program is the script of its shell: not a part of a loop, of a function or of another script."""

    def test_break_and_continue_belong_to_no_loop_of_ours(self):
        for word in ("break", "continue", "break 2", "case x in x) break;; esac", "if true; then continue; fi", "f() { break; }; f"):
            self.both("echo a\n%s 2>/dev/null\necho b" % word, "a\nb\n")

    def test_return_is_refused_and_the_script_goes_on(self):
        self.both("return 3 2>/dev/null\necho $?", "2\n")
        self.both("(return 0 2>/dev/null) && echo sourced || echo run", "run\n")
        self.both("f() { return 3; }; f; echo $?", "3\n")

    def test_names_of_the_script(self):
        self.both('[[ "${BASH_SOURCE[0]}" == "$0" && ${#BASH_SOURCE[@]} == 1 && -z ${FUNCNAME[0]-} ]] && echo main', "main\n")
        self.both('grep -c "own words" "$0"', "1\n")
        self.both('declare x=1; local y 2>/dev/null || echo "no function"; declare -p x', 'no function\ndeclare -- x="1"\n')

    def test_lines(self):
        self.both("echo $LINENO\n\nf() { echo $LINENO; }\nf; echo $LINENO", "1\n3\n4\n")
        kernel = self.fresh()
        for _ in range(3):
            kernel.run("\n\nnosuchcommand")
            self.assertIn("main.sh: line 3: nosuchcommand: command not found", kernel.err)

    def test_nothing_of_ours_is_in_a_script(self):
        kernel = self.fresh()
        kernel.once("declare -F; compgen -v | grep -i crucible; echo $BASH_ENV $#; env | grep -c BASH_ENV")
        self.assertEqual(kernel.out, "0\n0\n")


class State(Habits):
    """What belongs to a script begins anew with each run."""

    def test_getopts(self):
        kernel = self.fresh()
        for number in "123":
            kernel.run('while getopts "a:b" o; do echo "$o ${OPTARG-}"; done; shift $((OPTIND - 1)); echo "$@"', args=["-a", number, "x"])
            self.assertEqual(kernel.out, "a %s\nx\n" % number)

    def test_getopts_left_in_the_middle(self):
        kernel = self.fresh()
        kernel.run("getopts abc o -abc; getopts abc o -abc; echo $o")
        kernel.run("getopts xyz o -xyz; echo $o")
        self.assertEqual(kernel.out, "b\nx\n")

    def test_seconds_and_status(self):
        kernel = self.fresh()
        kernel.run("SECONDS=100; false")
        kernel.run("echo $? $((SECONDS < 50))")
        self.assertEqual(kernel.out, "0 1\n")

    def test_a_thousand_runs(self):
        kernel = self.fresh()
        kernel.run("n=0; f() { echo $n; }")
        for _ in range(1010):
            kernel.run("((++n))")
        kernel.run("f; echo $LINENO; break")
        self.assertEqual(kernel.out, "1010\n1\n")


class Ends(Habits):
    """A trap for EXIT finds the status of the script in $?, and its own `exit` has the last word."""

    def test_status_in_the_trap(self):
        for code, status in (("exit 3", 3), ("false", 1), ("set -e; (exit 4)", 4), ("f() { exit 5; }; f", 5), ("true", 0)):
            self.both("trap 'echo \"bye $?\"' EXIT\n" + code, "bye %d\n" % status, status)

    def test_exit_in_the_trap(self):
        self.both("trap 'exit 9' EXIT\nexit 2", "", 9)
        self.both("trap 'echo t; exit' EXIT\nexit 2", "t\n", 2)
        self.both("trap 'f' EXIT\nf() { exit 8; }\nset -u; echo $nope 2>/dev/null", "", 8)

    def test_subshells_have_their_own(self):
        self.both("(trap 'echo sub $?' EXIT; exit 3)\necho $?", "sub 3\n3\n")

    def test_traps_of_the_user_are_listed_and_ours_are_not(self):
        kernel = self.fresh()
        kernel.run("trap; trap 'echo \"it'\\''s\"' EXIT USR1; trap -p EXIT USR1; trap -p INT; trap 'echo i' INT; trap")
        lines = kernel.out.splitlines()
        # What whoever started all of this has had ignored, such as SIGQUIT of a job in the background, is listed as well.
        lines = [line for line in lines if not line.startswith("trap -- '' ")]
        self.assertEqual(lines[:2], ["trap -- 'echo \"it'\\''s\"' EXIT", "trap -- 'echo \"it'\\''s\"' SIGUSR1"])
        self.assertIn("trap -- 'echo i' SIGINT", lines)
        self.assertNotIn("crucible", "".join(lines))


class Words(Habits):
    """What is wrong with the text itself is said."""

    def test_line_ends_and_fences(self):
        for code, word in (("if true; then\r\necho a\r\nfi\r\n", "Windows"), ("cd /nosuch\r\n", "Windows"), ("nosuch\r\n", "Windows"),
                           ("```bash\nexit 3\n```", "fences"), ("exit 3", None)):
            for mode in ("once", "session"):
                hint = self.fresh().run(code, mode=mode).diagnostic["hint"]
                self.assertEqual(word is None, hint is None, code)
                self.assertIn(word or "", hint or "", code)


if __name__ == "__main__":
    unittest.main()
