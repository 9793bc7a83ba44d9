//! An answer of the service itself.

use super::output::Output;
use super::{Rule, Violation};
use crate::corpus::{Expectation, Expected};
use crate::http::Response;

const PROBLEM: &str = "application/problem+json";

/// Everything that is wrong with the answer to a request.
pub fn reply(reply: &Response, expected: &Expected) -> Vec<Violation> {
    let Expected { statuses, names, code, ends, prints, hides, unread } = expected;
    let mut violations = Vec::new();
    if !statuses.contains(&reply.status) {
        let wanted: Vec<String> = statuses.iter().map(u16::to_string).collect();
        violations.push(Violation::new(Rule::Status, wanted.join(" or "), shown(reply)));
    } else if reply.status >= 400 && !(*unread && reply.text.is_empty()) {
        violations.extend(ordinary_refusal(reply));
        let loc = reply.json.pointer("/errors/0/loc");
        violations.extend(differs("errors[0].loc", names.as_deref(), loc, reply));
        violations.extend(differs("code", code.as_deref(), reply.json.get("code"), reply));
    }
    let mut output = Output::default();
    output.absorb(&reply.json);
    if ends.is_empty() {
        // What is not about a run may still say something that it must not.
        output.texts.push(reply.text.clone());
        violations.extend(output.achieved().chain(output.shows(hides)));
    } else {
        let run = Expectation {
            ends: ends.clone(),
            denied: None,
            prints: prints.clone(),
            hides: hides.clone(),
        };
        violations.extend(super::program(&output, &run));
    }
    violations
}

/// What is wrong with a refusal, whatever it is about: it is no fault of the service's, and a
/// problem document with everything in it that a client needs.
pub fn ordinary_refusal(reply: &Response) -> Option<Violation> {
    if reply.status >= 500 {
        return Some(Violation::new(Rule::Problem, "nothing above 499", shown(reply)));
    }
    let has = |field: &str| reply.json.get(field).is_some_and(|value| !value.is_null());
    let complete = ["type", "title", "status", "detail", "code", "request_id"].into_iter().all(has);
    let sound = reply.media_type == PROBLEM && complete;
    (!sound).then(|| Violation::new(Rule::Problem, format!("a whole {PROBLEM}"), shown(reply)))
}

fn differs(
    what: &str,
    wanted: Option<&str>,
    found: Option<&serde_json::Value>,
    reply: &Response,
) -> Option<Violation> {
    let wanted = wanted?;
    let same = found.and_then(serde_json::Value::as_str) == Some(wanted);
    (!same).then(|| Violation::new(Rule::Problem, format!("{what} {wanted:?}"), shown(reply)))
}

fn shown(reply: &Response) -> String {
    format!("{} {} {}", reply.status, reply.media_type, reply.text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn reply_of(status: u16, media_type: &str, json: Value) -> Response {
        Response {
            status,
            media_type: String::from(media_type),
            retry_after: None,
            text: json.to_string(),
            json,
        }
    }

    fn problem(status: u16) -> Response {
        let json = json!({
            "type": "urn:x", "title": "x", "status": status, "detail": "x", "code": "validation_failed",
            "request_id": "1", "errors": [{"loc": "files.../up", "msg": "no"}],
        });
        reply_of(status, PROBLEM, json)
    }

    fn expected() -> Expected {
        Expected {
            statuses: vec![422],
            names: Some(String::from("files.../up")),
            code: Some(String::from("validation_failed")),
            ..Expected::default()
        }
    }

    fn rules(reply: &Response, expected: &Expected) -> Vec<Rule> {
        super::reply(reply, expected).into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn the_right_refusal_is_no_finding() {
        assert_eq!(rules(&problem(422), &expected()), []);
    }

    #[test]
    fn another_status_is_found() {
        assert_eq!(rules(&problem(400), &expected()), [Rule::Status]);
        assert_eq!(
            rules(&reply_of(200, "application/json", json!({})), &expected()),
            [Rule::Status]
        );
    }

    #[test]
    fn a_fault_of_the_service_is_found_even_where_it_is_expected() {
        let faulty = Expected { statuses: vec![500, 503], ..Expected::default() };
        assert_eq!(rules(&problem(500), &faulty), [Rule::Problem]);
        assert_eq!(rules(&problem(503), &faulty), [Rule::Problem]);
    }

    #[test]
    fn an_error_that_is_no_problem_document_or_names_another_field_is_found() {
        let mut html = problem(422);
        html.media_type = String::from("text/html");
        assert_eq!(rules(&html, &expected())[0], Rule::Problem);
        let mut anonymous = problem(422);
        anonymous.json["request_id"] = Value::Null;
        assert_eq!(rules(&anonymous, &expected()), [Rule::Problem]);
        let mut elsewhere = problem(422);
        elsewhere.json["errors"][0]["loc"] = json!("code");
        assert_eq!(rules(&elsewhere, &expected()), [Rule::Problem]);
    }

    #[test]
    fn a_run_that_shall_be_harmless_is_judged_like_a_program() {
        let ran = json!({"status": "succeeded", "stdout": "ACHIEVED x\n", "stderr": ""});
        let harmless = Expected {
            statuses: vec![200],
            ends: vec![String::from("succeeded")],
            prints: vec![String::from("fine")],
            ..Expected::default()
        };
        let found = rules(&reply_of(200, "application/json", ran), &harmless);
        assert_eq!(found, [Rule::Achieved, Rule::Printed]);
    }
}
