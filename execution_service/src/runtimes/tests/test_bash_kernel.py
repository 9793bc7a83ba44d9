"""The bash kernel."""

import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

from bash_driver import SCRIPT, BashKernel


class BashCase(unittest.TestCase):
    def setUp(self):
        self.kernel = self.fresh()

    def fresh(self):
        kernel = BashKernel()
        self.addCleanup(kernel.close)
        return kernel

    def wait_for_output(self, text, kernel=None):
        seen = ""
        while text not in seen:
            time.sleep(0.005)
            seen += (kernel or self.kernel).out


class Once(BashCase):
    def test_arguments_environment_and_stdin(self):
        answer = self.kernel.once('echo "$#" "$2" "$K"; cat', args=["a", "b c"], env={"K": "it's"}, stdin=b"in\n")
        self.assertEqual((answer.exit_code, answer.diagnostic), (0, None))
        self.assertEqual((self.kernel.out, self.kernel.err), ("2 b c it's\nin\n", ""))
        self.assertEqual(self.kernel.process.returncode, 0)

    def test_children_get_only_the_standard_descriptors(self):
        self.kernel.once("ls /proc/self/fd")
        self.assertEqual(self.kernel.out.split(), ["0", "1", "2", "3"])  # 3 is the folder ls reads

    def test_statuses(self):
        for code, status in (("exit 3", 3), ("false", 1), ("(exit 7)", 7), ("set -e\nfalse\necho no", 1),
                             ("f() { exit 5; }; f", 5), ("true", 0), ("set -o pipefail; false | true", 1)):
            kernel = self.fresh()
            answer = kernel.once(code)
            self.assertEqual((answer.exit_code, kernel.process.returncode), (status, status), code)
            self.assertEqual((kernel.out, kernel.err), ("", ""), code)
            self.assertEqual(answer.diagnostic is None, status == 0)

    def test_failed_command_and_line(self):
        found = self.kernel.once("set -e\n\nls \"/no such\" 2>/dev/null\n").diagnostic
        self.assertEqual((found["kind"], found["line"], found["file"]), ("exit", 3, "main.sh"))
        self.assertEqual(found["message"], 'exit status 2: ls "/no such" 2> /dev/null')

    def test_command_not_found(self):
        found = self.kernel.once("\nnosuchcommand x").diagnostic
        self.assertEqual((found["name"], found["line"], found["message"]),
                         ("CommandNotFound", 2, "nosuchcommand: command not found"))
        self.assertIn("line 2: nosuchcommand: command not found", self.kernel.err)

    def test_status_127_of_something_else(self):
        self.assertEqual(self.kernel.once("exit 127").diagnostic["name"], "ExitStatus")

    def test_syntax_error(self):
        answer = self.kernel.once("echo a\nif true; then\nfi\n")
        found = answer.diagnostic
        self.assertEqual((found["kind"], found["line"]), ("syntax", 3))
        self.assertIn("syntax error near unexpected token", found["message"])
        self.assertEqual(self.kernel.out, "a\n")
        self.assertIn("main.sh: line 3: syntax error", self.kernel.err)

    def test_status_2_without_a_syntax_error(self):
        self.assertEqual(self.kernel.once("exit 2").diagnostic["kind"], "exit")

    def test_signal_of_a_child_is_named(self):
        found = self.kernel.once("bash -c 'kill -SEGV $$' 2>/dev/null").diagnostic
        self.assertEqual(found["name"], "SIGSEGV")

    def test_own_exit_trap(self):
        kernel = self.fresh()
        self.assertIsNone(kernel.once("trap 'echo bye' EXIT\necho x").done)
        self.assertEqual((kernel.process.returncode, kernel.out), (0, "x\nbye\n"))
        self.kernel.once("trap 'echo bye' EXIT\nexit 4")
        self.assertEqual((self.kernel.process.returncode, self.kernel.out), (4, "bye\n"))

    def test_bytes_that_are_no_text_in_a_message(self):
        found = self.kernel.once("eval $'false é\\xff\\xc3☃'").diagnostic
        self.assertEqual(found["message"], "exit status 1: eval 'false é\ufffd\ufffd☃'")

    def test_main_idiom(self):
        self.kernel.once('if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then echo main; fi')
        self.assertEqual(self.kernel.out, "main\n")

    def test_background_jobs_are_not_waited_for(self):
        started = time.monotonic()
        self.kernel.once("sleep 30 >/dev/null 2>&1 &")
        self.assertLess(time.monotonic() - started, 20)

    def test_interrupt(self):
        self.kernel.start("echo in\nsleep 60", mode="once")
        self.wait_for_output("in")
        # Bash has said so, and may be about to fork: a signal between fork and exec is lost.
        while not self.children():
            time.sleep(0.01)
        self.kernel.interrupt()
        self.assertEqual(self.kernel.process.wait(20), -2)

    def children(self):
        """The programs that the kernel's process has started and that are themselves by now."""
        pid = self.kernel.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            names = [pathlib.Path(f"/proc/{child}/comm").read_text().strip() for child in file.read().split()]
        return [name for name in names if name != "bash"]

    def test_no_fork_on_the_happy_path(self):
        if not shutil.which("strace"):
            print("skipped: test_no_fork_on_the_happy_path (no strace)", file=sys.stderr)
            self.skipTest("no strace")
        tracer = subprocess.Popen(
            ["strace", "-f", "-e", "trace=clone,clone3,fork,vfork,execve", "-p", str(self.kernel.process.pid)],
            stderr=subprocess.PIPE, text=True)
        line = tracer.stderr.readline()
        if "attached" not in line:
            print("skipped: test_no_fork_on_the_happy_path (%s)" % line.strip(), file=sys.stderr)
            self.skipTest("ptrace is not allowed")
        self.kernel.once("x=1; echo $x")
        said = tracer.communicate()[1]
        self.assertNotRegex(said, r"clone|fork|execve")


class Session(BashCase):
    STATE = ('x=5; a=(1 "2 3"); declare -A m=([k]="v w"); f() { echo "f$x"; }; export E=1; cd /; shopt -s expand_aliases; '
             'alias ll="echo ALIAS"; n=$\'two\nlines "q"\'; i() { return 3; }; declare -i num=4')
    CHECK = 'f; echo "${a[1]} ${m[k]} $E $PWD $n"; ll; i; echo $?; num+=1; echo $num; num=4; bash -c \'echo $E\''
    EXPECTED = 'f5\n2 3 v w 1 / two\nlines "q"\nALIAS\n3\n5\n1\n'

    def check(self, kernel=None):
        kernel = kernel or self.kernel
        answer = kernel.run(self.CHECK)
        self.assertEqual((kernel.out, answer.exit_code), (self.EXPECTED, 0), kernel.err)

    def test_state_persists(self):
        self.kernel.run(self.STATE)
        self.check()

    def test_what_ends_a_script_keeps_the_state(self):
        self.kernel.run(self.STATE)
        pid = self.kernel.process.pid
        for code, status in (("exit 3", 3), ("set -e; false; echo no", 1), ("set -u; echo $undefined", 1),
                             (": ${undefined:?gone}", 1), ("if; then", 2), ("g() { exit 4; }; g", 4),
                             ("exec nosuchcommand", 127), ("(exit 9)", 9)):
            with self.subTest(code):
                answer = self.kernel.run(code)
                self.assertEqual(answer.exit_code, status, code)
                self.kernel.out, self.kernel.err
                self.check()
        self.assertEqual(self.kernel.process.pid, pid)
        self.kernel.run("ls -A $TMPDIR")
        self.assertEqual(sorted(self.kernel.out.split()), ["home", "in", "out", "request"])

    def test_background_child_stays_ours_over_an_exit(self):
        self.kernel.run("sleep 60 >/dev/null 2>&1 & child=$!\nexit 1")
        self.kernel.run('read -r _ _ _ parent _ </proc/$child/stat; [[ $parent == $$ ]] && echo ours; kill $child')
        self.assertEqual(self.kernel.out, "ours\n")

    def test_options_are_fresh_in_each_run(self):
        self.kernel.run("set -eux; set -o pipefail -o noglob")
        self.kernel.err
        self.assertEqual(self.kernel.run("false | true; false; echo $undefined; echo $-").exit_code, 0)
        self.assertEqual((self.kernel.out, self.kernel.err), ("\nhB\n", ""))

    def test_tracing_shows_the_users_commands_only(self):
        self.kernel.run("set -x; false")
        self.assertRegex(self.kernel.err, r"^\++ false\n$")
        self.kernel.run("trap 'echo debug' DEBUG; true")
        self.assertEqual(self.kernel.out, "debug\n")
        self.kernel.run("set -ex; false")
        self.assertRegex(self.kernel.out + self.kernel.err, r"^\++ false\n$")

    def test_exit_trap_runs_at_the_end_of_its_run(self):
        self.kernel.run("trap 'echo bye' EXIT; echo x")
        self.assertEqual(self.kernel.out, "x\nbye\n")
        answer = self.kernel.run("y=1; trap 'echo bye' EXIT; exit 2")
        self.assertEqual((self.kernel.out, answer.exit_code), ("bye\n", 2))
        self.kernel.run('echo "$y"; (trap "echo sub" EXIT)')
        self.assertEqual(self.kernel.out, "1\nsub\n")

    def test_other_traps_live_on(self):
        self.kernel.run("trap 'echo usr1' USR1")
        self.kernel.run("exit 1")
        self.kernel.run("kill -USR1 $$; true")
        self.assertEqual(self.kernel.out, "usr1\n")

    def test_interrupt_keeps_state(self):
        self.kernel.run(self.STATE)
        for code in ("echo in; sleep 60", "echo in; while :; do :; done", "w() { echo in; while :; do sleep 0.05; done; }; w",
                     "echo in; cat /dev/zero >/dev/null", "echo in; (while :; do :; done)"):
            self.kernel.start(code)
            self.wait_for_output("in")
            self.kernel.interrupt()
            answer = self.kernel.finish()
            self.assertTrue(answer.done and answer.done["interrupted"], code)
            self.kernel.err
            self.check()

    def test_interrupt_between_runs_is_ignored(self):
        self.kernel.run("x=1")
        self.kernel.interrupt()
        answer = self.kernel.run("echo $x")
        self.assertEqual((self.kernel.out, answer.done["interrupted"]), ("1\n", False))

    def test_mistakes_that_must_not_break_the_kernel(self):
        for mistake in (
            "IFS=,", "printf() { echo no; }; read() { :; }; source() { :; }; echo() { :; }; trap() { :; }", "PATH=",
            "shopt -s expand_aliases; alias builtin=false while=false source=false", "trap '' INT TERM",
            "trap 'echo e' ERR; trap 'echo d' DEBUG; trap 'echo r' RETURN", "mkdir gone; cd gone; rmdir ../gone",
            "__crucible_in=x; unset __crucible_out; __crucible_send() { :; }", "set -o posix", "exec 0<&-",
            "BASH_ARGV0=other; set -- 1 2 3; shift 2", "return 3", "break; continue 5", "set -e", "umask 777",
            "TMPDIR=/nonexistent; x=2", "shopt -s extglob nullglob failglob dotglob nocasematch lastpipe", 
            "LC_ALL=C; LANG=tr_TR", "f() { local IFS=x; set -e; false; }; f", "echo $'\\x01\\xff\"\\\\'; false $'\\x01\\xff\"\\\\'",
        ):
            with self.subTest(mistake):
                kernel = self.fresh()
                kernel.run(mistake)
                kernel.out, kernel.err
                answer = kernel.run("\\builtin echo still here")
                self.assertIsNotNone(answer.done)
                self.assertEqual(answer.exit_code, 0, kernel.err)
                self.assertIn("still here", kernel.out)

    def test_unsavable_state_is_not_hidden(self):
        answer = self.kernel.run('mkdir -p "${0%/*}/state"; exit 3')
        self.assertIsNone(answer.done)
        self.assertEqual((self.kernel.process.wait(20), self.kernel.err), (3, ""))

    def test_state_is_kept_without_room_in_the_workspace(self):
        self.kernel.run(self.STATE)
        self.kernel.run("TMPDIR=/nonexistent; set -o noclobber; exit 3")
        self.check()

    def test_removed_channel_ends_the_kernel_in_silence(self):
        for code, status in (('rm "${0%/*}/../in"', 1), ('rm "${0%/*}/../out"; exit 3', 1), ('rm "${0%/*}/../out"; (exit 3)', 3)):
            with self.subTest(code):
                kernel = self.fresh()
                kernel.start(code)
                self.assertEqual(kernel.process.wait(20), status)
                self.assertEqual((kernel.out, kernel.err), ("", ""))

    def test_exit_keeps_the_state_without_a_new_process(self):
        if not shutil.which("strace"):
            print("skipped: test_exit_keeps_the_state_without_a_new_process (no strace)", file=sys.stderr)
            self.skipTest("no strace")
        tracer = subprocess.Popen(
            ["strace", "-f", "-e", "trace=clone,clone3,fork,vfork", "-p", str(self.kernel.process.pid)],
            stderr=subprocess.PIPE, text=True)
        line = tracer.stderr.readline()
        if "attached" not in line:
            print("skipped: test_exit_keeps_the_state_without_a_new_process (%s)" % line.strip(), file=sys.stderr)
            self.skipTest("ptrace is not allowed")
        self.kernel.run(self.STATE + "\nexit 3")
        self.kernel.run("exec true")
        self.assertNotRegex(tracer.communicate()[1], "clone|fork")

    def test_heredocs_pipes_and_stdin(self):
        self.kernel.run("cat <<E | tr a-z A-Z\nabc\nE\nread -r line; echo \"$line\"", stdin=b"given\n")
        self.assertEqual(self.kernel.out, "ABC\ngiven\n")
        self.kernel.run("read -r line || echo empty")
        self.assertEqual(self.kernel.out, "empty\n")


if __name__ == "__main__":
    unittest.main()
