//! Runs as they happen: server-sent events, resumed and detached.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, Events, Told, eventually};

const RUN: &str = "/v1/code_interpreter/run";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";

fn body(code: &str) -> Value {
    json!({"code": code, "language": "python"})
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| &*told.name).collect()
}

async fn detach(app: &App, token: &str, code: &str) -> String {
    let body = json!({"code": code, "language": "python", "detached": true});
    let begun = app.post(RUN, token, body).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text);
    begun.json()["execution_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_run_is_told_while_it_goes_on() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut events = Events::run(&app, &token, &body("steps"), &[]).await;
    let headers = events.response.headers();
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-accel-buffering"], "no");
    let started = events.next().await.unwrap();
    assert_eq!((started.id, &*started.name), (Some(1), "started"));
    let id = started.data["execution_id"].as_str().unwrap().to_owned();
    for (number, line) in [(2, "1\n"), (3, "2\n"), (4, "3\n")] {
        let record = app.get(&format!("{EXECUTIONS}/{id}"), &token).await.json();
        assert_eq!(record["status"], "running", "it is told before the end");
        app.worker.let_begin();
        let told = events.next().await.unwrap();
        assert_eq!((told.id, &*told.name), (Some(number), "stdout"));
        assert_eq!(told.data, json!({"text": line, "offset": (number - 2) * 2}));
    }
    let rest = events.rest().await;
    assert_eq!(names(&rest), ["usage", "finished"]);
    let answer = &rest[1].data;
    assert_eq!((&answer["status"], &answer["stdout"]), (&json!("succeeded"), &json!("1\n2\n3\n")));
    assert_eq!(answer["usage"], rest[0].data);
    assert_eq!(rest[1].id, Some(6));
}

#[tokio::test]
async fn text_is_told_in_whole_characters() {
    let app = App::start().await;
    let token = app.admin().await;
    let told = Events::run(&app, &token, &body("split"), &[]).await.rest().await;
    let texts: Vec<_> = told
        .iter()
        .filter(|told| told.name == "stdout")
        .map(|told| (told.data["offset"].as_u64().unwrap(), told.data["text"].as_str().unwrap()))
        .collect();
    assert_eq!(texts, [(0, "a"), (1, "ä"), (3, "€"), (6, "\u{fffd}")]);
    let answer = &told.last().unwrap().data;
    assert_eq!(answer["stdout"], "aä€\u{fffd}");
    // Whoever resumes anywhere reads the same.
    let id = answer["execution_id"].as_str().unwrap();
    for after in 0..told.len() {
        let resumed = Events::follow(&app, &token, id, &format!("?after={after}")).await;
        assert_eq!(resumed.rest().await, told[after..], "after {after}");
    }
}

#[tokio::test]
async fn what_refuses_a_run_is_an_ordinary_problem() {
    let app = App::start().await;
    let token = app.admin().await;
    for (code, status, name) in [("full", 503, "worker_full"), ("refuse", 422, "validation_failed")]
    {
        for headers in [&[][..], &[("idempotency-key", code)]] {
            let refused = Events::run(&app, &token, &body(code), headers).await.response;
            assert_eq!(refused.status().as_u16(), status, "{code}");
            assert_eq!(refused.headers()["content-type"], "application/problem+json");
            assert_eq!(refused.json::<Value>().await.unwrap()["code"], name);
        }
    }
    let bad = Events::run(&app, &token, &json!({"code": ""}), &[]).await;
    assert_eq!(bad.response.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

/// Each reader gets exactly one end, whatever becomes of the worker.
#[tokio::test]
async fn a_worker_that_dies_is_a_problem_at_the_end() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut first = Events::run(&app, &token, &body("hang"), &[]).await;
    let started = first.next().await.unwrap();
    let id = started.data["execution_id"].as_str().unwrap().to_owned();
    let others = [
        Events::follow(&app, &token, &id, "").await,
        Events::follow(&app, &token, &id, "?after=1").await,
    ];
    assert_eq!(first.next().await.unwrap().name, "stdout");
    app.worker.kill();
    let mut all = vec![first.rest().await];
    for other in others {
        all.push(other.rest().await);
    }
    for told in all {
        let ends: Vec<_> = told.iter().filter(|told| told.name == "finished").collect();
        assert_eq!(ends.len(), 1, "{told:?}");
        let problem = &ends[0].data["problem"];
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&json!("execution_unknown"), &json!(503))
        );
        assert_ne!(problem["request_id"], "");
    }
}

#[tokio::test]
async fn a_reader_who_leaves_ends_its_run_and_no_other() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut events = Events::run(&app, &token, &body("hang"), &[]).await;
    let id = events.next().await.unwrap().data["execution_id"].as_str().unwrap().to_owned();
    let mut reader = Events::follow(&app, &token, &id, "").await;
    assert_eq!(reader.next().await.unwrap().id, Some(1));
    drop(reader);
    assert!(app.worker.seen().abandoned.is_empty(), "another reader is not missed");
    drop(events);
    eventually(async || app.worker.seen().abandoned.contains(&id).then_some(())).await;
    let told = Events::follow(&app, &token, &id, "?after=2").await.rest().await;
    assert_eq!(told.last().unwrap().data["problem"]["code"], "execution_cancelled");
}

#[tokio::test]
async fn a_detached_run_does_without_its_caller() {
    let app = App::start().await;
    let token = app.admin().await;
    let header = [("prefer", "wait=5, respond-async; x=y")];
    let begun = app.send(Method::POST, RUN, &token, &header, Some(body("steps").to_string())).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text);
    assert_eq!(begun.headers["preference-applied"], "respond-async");
    let answer = begun.json();
    let id = answer["execution_id"].as_str().unwrap();
    let path = format!("{EXECUTIONS}/{id}");
    assert_eq!(begun.headers["location"], *path);
    assert_eq!((&answer["status"], &answer["links"]["self"]), (&json!("running"), &json!(path)));
    let output = &answer["links"]["output"]["stdout"];
    assert_eq!(*output, json!(format!("{path}/output/stdout")));
    for _ in 0..3 {
        app.worker.let_begin();
        tokio::task::yield_now().await;
        eventually(async || {
            // A permit is taken before the next is given.
            let told = app.get(&path, &token).await.json();
            (told["status"] != "queued").then_some(())
        })
        .await;
    }
    let rest = async {
        let mut events = Events::follow(&app, &token, id, "").await;
        while let Some(told) = events.next().await {
            app.worker.let_begin();
            if told.name == "finished" {
                return told;
            }
        }
        panic!("there is no end")
    };
    assert_eq!(rest.await.data["stdout"], "1\n2\n3\n");
    assert!(app.worker.seen().abandoned.is_empty());
    let refused = json!({"code": "full", "language": "python", "detached": true});
    assert_eq!(app.post(RUN, &token, refused).await.code(), "worker_full");
}

#[tokio::test]
async fn whoever_resumes_misses_nothing_and_reads_nothing_twice() {
    let app = App::start().await;
    let token = app.admin().await;
    let id = detach(&app, &token, "steps").await;
    let mut events = Events::follow(&app, &token, &id, "").await;
    let started = events.next().await.unwrap();
    app.worker.let_begin();
    let first = events.next().await.unwrap();
    drop(events);
    let path = format!("{EXECUTIONS}/{id}/events?after=1");
    let url = format!("http://{}{path}", app.address);
    let again = reqwest::Client::new().get(url).bearer_auth(&token).header("last-event-id", "2");
    let mut again = Events::of(again.send().await.unwrap());
    app.worker.let_begin();
    let second = again.next().await.unwrap();
    assert_eq!(second.id, Some(3), "the header counts more than the query");
    app.worker.let_begin();
    let rest = again.rest().await;
    assert_eq!(names(&rest), ["stdout", "usage", "finished"]);
    // After the end as well: all of it, or what one has not got.
    let whole: Vec<Told> = [started, first, second].into_iter().chain(rest).collect();
    assert_eq!(Events::follow(&app, &token, &id, "").await.rest().await, whole);
    assert_eq!(Events::follow(&app, &token, &id, "?after=5").await.rest().await, whole[5..]);
    let nothing = app.get(&format!("{EXECUTIONS}/{id}/events?after=6"), &token).await;
    assert_eq!(nothing.status, StatusCode::NO_CONTENT, "nobody needs to come back");
    for wrong in ["-1", "x", "1.5"] {
        let path = format!("{EXECUTIONS}/{id}/events?after={wrong}");
        assert_eq!(app.get(&path, &token).await.code(), "validation_failed", "{wrong}");
    }
}

#[tokio::test]
async fn where_the_log_is_gone_that_is_said_and_the_end_is_told() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let id = app.run(&token, "gap").await.json()["execution_id"].as_str().unwrap().to_owned();
    app.stop().await;
    app.boot().await;
    let told = Events::follow(&app, &token, &id, "?after=2").await.rest().await;
    assert_eq!(names(&told), ["gap", "finished"]);
    assert_eq!(told[0].data, json!({"first": 3, "last": null}));
    assert_eq!(told[1].data["truncated"]["stdout"], true, "it says what it has not");
}

#[tokio::test]
async fn what_made_way_is_one_gap() {
    let app = App::start().await;
    let token = app.admin().await;
    let id = detach(&app, &token, "many").await;
    eventually(async || {
        let record = app.get(&format!("{EXECUTIONS}/{id}"), &token).await.json();
        (record["status"] == "succeeded").then_some(())
    })
    .await;
    let told = Events::follow(&app, &token, &id, "").await.rest().await;
    assert_eq!(told[0].name, "gap");
    assert_eq!(told[0].data["first"], 1);
    assert_eq!(told[0].id, told[0].data["last"].as_u64(), "whoever resumes goes on after it");
    let numbers: Vec<u64> = told.iter().filter_map(|told| told.id).collect();
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1));
    assert_eq!(names(&told).iter().filter(|name| **name == "gap").count(), 1);
    assert_eq!(told.last().unwrap().data["stdout"].as_str().unwrap().len(), 10_000);
}

#[tokio::test]
async fn a_retry_with_the_key_of_a_stream_is_attached_to_its_run() {
    let app = App::start().await;
    let token = app.admin().await;
    let key = [("idempotency-key", "k")];
    let mut first = Events::run(&app, &token, &body("steps"), &key).await;
    let started = first.next().await.unwrap();
    let attended = Events::run(&app, &token, &body("steps"), &key).await.response;
    assert_eq!(attended.status(), StatusCode::CONFLICT, "its first reader is still there");
    drop(first);
    let mut again = eventually(async || {
        let again = Events::run(&app, &token, &body("steps"), &key).await;
        (again.response.status() == StatusCode::OK).then_some(again)
    })
    .await;
    assert_eq!(again.response.headers()["idempotent-replayed"], "true");
    assert_eq!(again.next().await.unwrap(), started, "the same run, from its beginning");
    for _ in 0..3 {
        app.worker.let_begin();
        assert_eq!(again.next().await.unwrap().name, "stdout");
    }
    let rest = again.rest().await;
    let answer = &rest.last().unwrap().data;
    // Also as an answer, and as a stream once more.
    let unary = eventually(async || {
        let unary =
            app.send(Method::POST, RUN, &token, &key, Some(body("steps").to_string())).await;
        (unary.status == StatusCode::OK).then_some(unary)
    })
    .await;
    assert_eq!(unary.json(), *answer);
    let replayed = Events::run(&app, &token, &body("steps"), &key).await.rest().await;
    assert_eq!((names(&replayed), &replayed[0].data), (vec!["finished"], answer));
    let other = Events::run(&app, &token, &body("say 1"), &key).await.response;
    assert_eq!(other.status(), StatusCode::CONFLICT);
    assert_eq!(app.worker.seen().executes.len(), 1, "it ran once");
}

#[tokio::test]
async fn a_detached_run_with_a_key_is_begun_once() {
    let app = App::start().await;
    let token = app.admin().await;
    let body = json!({"code": "hang", "language": "python", "detached": true}).to_string();
    let key = [("idempotency-key", "k")];
    let ask = async || app.send(Method::POST, RUN, &token, &key, Some(body.clone())).await;
    let (first, second) = (ask().await, ask().await);
    assert_eq!((first.status, second.status), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    assert_eq!(first.text, second.text);
    assert_eq!(first.headers["location"], second.headers["location"]);
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert_eq!(app.worker.seen().executes.len(), 1);
}

#[tokio::test]
async fn a_gateway_that_stops_tells_its_readers() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let mut events = Events::run(&app, &token, &body("hang"), &[]).await;
    events.next().await.unwrap();
    let (rest, ()) = tokio::join!(events.rest(), app.stop());
    assert_eq!(rest.last().unwrap().data["problem"]["code"], "gateway_stopping");
}

/// It has as long as the others, and an honest end.
#[tokio::test]
async fn a_detached_run_is_waited_for_when_the_gateway_stops() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let (short, long) = (detach(&app, &token, "steps").await, detach(&app, &token, "hang").await);
    let worker = app.worker.clone();
    let ending = async move {
        for _ in 0..3 {
            worker.let_begin();
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    };
    tokio::join!(app.stop(), ending);
    app.boot().await;
    let status = async |id: &str| {
        app.get(&format!("{EXECUTIONS}/{id}"), &token).await.json()["status"].clone()
    };
    assert_eq!(
        (status(&short).await, status(&long).await),
        (json!("succeeded"), json!("cancelled"))
    );
}

#[tokio::test]
async fn a_cancelled_run_answers_with_what_there_was_and_a_second_time_as_well() {
    let app = App::start().await;
    let token = app.admin().await;
    let id = detach(&app, &token, "hang").await;
    let path = format!("{EXECUTIONS}/{id}/cancel");
    let events = Events::follow(&app, &token, &id, "").await;
    for _ in 0..2 {
        let cancelled = app.post(&path, &token, json!({})).await;
        assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.text);
        let answer = cancelled.json();
        assert_eq!(
            (&answer["success"], &answer["message"]),
            (&json!(true), &json!("Execution cancelled"))
        );
        assert_eq!(answer["execution"]["status"], "cancelled");
        assert_eq!(answer["execution"]["stdout"], "begun\n");
    }
    assert_eq!(events.rest().await.last().unwrap().data["status"], "cancelled");
    let ended = app.run(&token, "say hi").await.json()["execution_id"].as_str().unwrap().to_owned();
    let late = app.post(&format!("{EXECUTIONS}/{ended}/cancel"), &token, json!({})).await;
    assert_eq!(late.code(), "execution_not_running");
    let waiting = detach(&app, &token, "wait").await;
    let cancelled = app.post(&format!("{EXECUTIONS}/{waiting}/cancel"), &token, json!({})).await;
    assert_eq!(cancelled.status, StatusCode::OK, "also while it waits for its turn");
    app.worker.let_begin();
}
