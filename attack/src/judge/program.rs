//! A program's output against its [`Expectation`].

use super::output::Output;
use super::{Rule, Violation, denied};
use crate::corpus::Expectation;

/// Everything that is wrong with it.
pub fn program(output: &Output, expected: &Expectation) -> Vec<Violation> {
    let Expectation { ends, denied, prints, hides } = expected;
    let mut violations: Vec<Violation> = output.achieved().collect();
    if !ends.contains(&output.status) {
        let seen = match output.stderr.trim() {
            "" => output.status.clone(),
            stderr => format!("{}: {stderr}", output.status),
        };
        violations.push(Violation::new(Rule::Ended, ends.join(" or "), seen));
    }
    violations.extend(denied.as_ref().and_then(|denied| denied::violation(&output.stdout, denied)));
    violations.extend(output.lacks(prints));
    violations.extend(output.shows(hides));
    violations
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::corpus::Denial;

    fn denial(text: &str) -> Denial {
        Denial::try_from(String::from(text)).expect("well formed")
    }

    fn expected() -> Expectation {
        Expectation {
            ends: vec![String::from("succeeded")],
            denied: Some(vec![denial("mount EPERM"), denial("open_tree EPERM|ENOSYS")]),
            prints: vec![String::from("still alive")],
            hides: vec![String::from("root:")],
        }
    }

    fn rules(answer: &Value) -> Vec<Rule> {
        let mut output = Output::default();
        output.absorb(answer);
        program(&output, &expected()).into_iter().map(|violation| violation.rule).collect()
    }

    fn answer(stdout: &str) -> Value {
        json!({"status": "succeeded", "stdout": stdout, "stderr": "", "results": []})
    }

    const RIGHT: &str = "denied mount EPERM\ndenied open_tree ENOSYS\nstill alive\n";

    #[test]
    fn what_is_as_expected_is_no_finding() {
        assert_eq!(rules(&answer(RIGHT)), []);
        // The same refusal twice is the same refusal.
        assert_eq!(rules(&answer(&format!("denied mount EPERM\n{RIGHT}"))), []);
    }

    #[test]
    fn an_achieved_attack_is_found_on_either_stream() {
        assert_eq!(rules(&answer(&format!("{RIGHT}ACHIEVED mount\n"))), [Rule::Achieved]);
        assert_eq!(rules(&answer(&format!("{RIGHT}x\rACHIEVED mount"))), [Rule::Achieved]);
        let mut on_stderr = answer(RIGHT);
        on_stderr["stderr"] = json!("noise\nACHIEVED mount\n");
        assert_eq!(rules(&on_stderr), [Rule::Achieved]);
        // A traceback quotes the source, indented.
        on_stderr["stderr"] = json!("    print('ACHIEVED mount')\n");
        assert_eq!(rules(&on_stderr), []);
    }

    #[test]
    fn a_refusal_for_another_reason_a_missing_and_an_extra_one_are_found() {
        for wrong in [
            "denied mount EACCES\ndenied open_tree ENOSYS\nstill alive\n",
            "denied mount EPERM\nstill alive\n",
            "denied mount EPERM\ndenied open_tree EPERM\ndenied fsopen EPERM\nstill alive\n",
        ] {
            assert_eq!(rules(&answer(wrong)), [Rule::Denied], "{wrong}");
        }
    }

    #[test]
    fn another_end_is_found_and_so_is_a_refusal_to_run() {
        let mut timed_out = answer(RIGHT);
        timed_out["status"] = json!("timed_out");
        assert_eq!(rules(&timed_out), [Rule::Ended]);
        let refused = json!({"status": 410, "code": "session_lost", "detail": "…"});
        assert!(rules(&refused).contains(&Rule::Ended));
        let mut output = Output::default();
        output.absorb(&refused);
        assert_eq!(output.status, "session_lost");
    }

    #[test]
    fn what_was_not_reached_and_what_must_not_be_seen_are_found() {
        let quiet = RIGHT.replace("still alive\n", "");
        assert_eq!(rules(&answer(&quiet)), [Rule::Printed]);
        assert_eq!(rules(&answer(&format!("{RIGHT}root:x:0:0\n"))), [Rule::Hidden]);
        let mut in_a_result = answer(RIGHT);
        in_a_result["results"] = json!([{"mime": {"text/plain": "'root:x:0:0'"}}]);
        assert_eq!(rules(&in_a_result), [Rule::Hidden]);
        let mut in_a_diagnostic = answer(RIGHT);
        in_a_diagnostic["diagnostic"] = json!({"message": "root:*:0"});
        assert_eq!(rules(&in_a_diagnostic), [Rule::Hidden]);
    }
}
