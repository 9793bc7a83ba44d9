use serde_json::json;

use crate::case::{run, run_all};
use crate::crucible::Crucible;

#[tokio::test]
async fn a_script_does_what_a_script_does() {
    let cases = vec![
        run("bash", "echo hi | tr a-z A-Z").prints("HI\n"),
        run("bash", "cat <<END\nhere $((1 + 2))\nEND").prints("here 3\n"),
        run("bash", "(sleep 0.1; echo child) & wait; echo done").prints("child\ndone\n"),
        run("bash", "x=(1 2 3); echo ${x[1]} ${#x[@]}").prints("2 3\n"),
        run("bash", "set -o pipefail; false | true; echo $?").prints("1\n"),
        run("bash", "read x; echo \"got $x\"").with("stdin", json!("in\n")).prints("got in\n"),
        run("bash", "echo \"$1-$2-$#\"").with("args", json!(["a", "b c"])).prints("a-b c-2\n"),
        run("bash", "cat data/x").with("files", json!({"data/x": "file"})).prints("file"),
        run("bash", "pwd; id -un").prints("/home/user\nuser\n"),
        run("bash", "echo out; echo err >&2").prints("out\n").is("/stderr", json!("err\n")),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn the_exit_status_is_the_scripts() {
    let cases = vec![
        run("bash", "exit 7").fails(7).diagnosed("exit", "ExitStatus"),
        run("bash", "false").fails(1),
        run("bash", "false; true"),
        run("bash", "set -e\nfalse\necho no").fails(1).prints("").at_line(2),
        run("bash", "trap 'echo bye' EXIT; exit 4").fails(4).prints("bye\n"),
        run("bash", "kill -SEGV $$").dies_of("SIGSEGV"),
        run("bash", "sleep 100 & echo main").prints("main\n"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}

#[tokio::test]
async fn failures_are_told_by_their_kind_name_and_line() {
    let cases = vec![
        run("bash", "true\nnosuchcommand")
            .fails(127)
            .is("/diagnostic/name", json!("CommandNotFound"))
            .at_line(2),
        run("bash", "if true; then\necho x").fails(2).diagnosed("syntax", "SyntaxError").at_line(3),
        run("bash", "echo \"open").fails(2).diagnosed("syntax", "SyntaxError"),
        run("bash", "set -u\necho $NOPE").fails(1).has("/stderr", "unbound variable"),
    ];
    run_all(Crucible::shared(), 3, cases).await;
}
