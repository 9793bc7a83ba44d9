//! Callers who never rest, and what came of each thing they did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::program::{self, printing, word};
use crate::service::{Answer, BOUND, Client};

const CALLERS: usize = 8;

/// A stateless run, or a session with all its runs.
pub struct Attempt {
    pub begin: Instant,
    pub end: Instant,
    pub fate: Fate,
}

/// What came of it.
pub enum Fate {
    /// It did what it should; these executions were answered with this status.
    Done(Vec<String>),
    /// It did not, and its caller was told so: status and code, or the run's own status.
    Told(String),
    /// The connection broke; a run with a key was asked for again, and this is what became of it.
    Broken { error: String, later: Option<String> },
    /// It must not happen, whoever was killed.
    Wrong(String),
}

/// Running callers.
pub struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<Vec<Attempt>>,
}

impl Load {
    /// Starts them.
    pub fn start(client: &Client, random: &mut StdRng) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            let mut random = StdRng::seed_from_u64(random.random());
            callers.spawn(async move {
                let mut attempts = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    let fate = attempt(&client, &mut random).await;
                    let resting = !matches!(fate, Fate::Done(_));
                    attempts.push(Attempt { begin, end: Instant::now(), fate });
                    if resting {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                attempts
            });
        }
        Self { stop, callers }
    }

    /// Lets them finish what they are at.
    pub async fn finish(self) -> Vec<Attempt> {
        self.stop.store(true, Ordering::Relaxed);
        self.callers.join_all().await.into_iter().flatten().collect()
    }
}

async fn attempt(client: &Client, random: &mut StdRng) -> Fate {
    match random.random_range(0..10) {
        0..=1 => run(client, random).await,
        2..=3 => streamed(client, random).await,
        4..=6 => run_once(client, random).await,
        _ => session(client, random).await,
    }
}

async fn run(client: &Client, random: &mut StdRng) -> Fate {
    let word = word(random);
    let body = printing(&word, random);
    judge(client.run(&body, None).await, &word)
}

/// As a stream of events, of which exactly one is the last.
async fn streamed(client: &Client, random: &mut StdRng) -> Fate {
    let word = word(random);
    let text = match client.stream(&printing(&word, random)).await {
        Err(error) => return Fate::Broken { error, later: None },
        Ok(Err(refused)) => return judge(Ok(refused), &word),
        Ok(Ok(text)) => text,
    };
    let ends: Vec<Value> = text.split("\n\n").filter_map(end_of).collect();
    let [end] = ends.as_slice() else {
        return Fate::Wrong(format!("{} ends in {text:?}", ends.len()));
    };
    match &end["problem"] {
        Value::Null => judge(Ok((200, end.clone())), &word),
        problem => {
            let status = problem["status"].as_u64().and_then(|status| status.try_into().ok());
            judge(Ok((status.unwrap_or_default(), problem.clone())), &word)
        }
    }
}

/// What the event in this block says, if it is the last one of its stream.
fn end_of(block: &str) -> Option<Value> {
    block.lines().find(|line| *line == "event: finished")?;
    let data = block.lines().find_map(|line| line.strip_prefix("data: "))?;
    serde_json::from_str(data).ok()
}

/// With a key: whoever lost the connection asks again, and learns what became of the run.
async fn run_once(client: &Client, random: &mut StdRng) -> Fate {
    let word = word(random);
    let body = printing(&word, random);
    let key = program::word(random);
    let first = judge(client.run(&body, Some(&key)).await, &word);
    let Fate::Broken { error, .. } = first else {
        return first;
    };
    let lost = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let again = client.run(&body, Some(&key)).await;
        let waiting = match &again {
            Ok((503, _)) | Err(_) => true,
            Ok((409, answer)) => answer["code"] == "idempotency_in_progress",
            Ok(_) => false,
        };
        if waiting && lost.elapsed() < 2 * BOUND {
            continue;
        }
        return match judge(again, &word) {
            Fate::Done(ids) => Fate::Done(ids),
            Fate::Told(later) => Fate::Broken { error, later: Some(later) },
            Fate::Broken { error, .. } => Fate::Wrong(format!("never answered again: {error}")),
            wrong @ Fate::Wrong(_) => wrong,
        };
    }
}

/// What an answer says about a run that was to print `word`.
fn judge(answer: Answer, word: &str) -> Fate {
    match answer {
        Err(error) => Fate::Broken { error, later: None },
        Ok((200, answer)) if answer["status"] == "succeeded" => {
            if answer["stdout"] == format!("{word}\n") {
                Fate::Done(vec![id(&answer)])
            } else {
                Fate::Wrong(format!("{word} was to be printed: {answer}"))
            }
        }
        Ok((200, answer)) if belongs(&answer, word) => {
            Fate::Told(format!("200 {} {}", answer["status"], answer["error"]))
        }
        Ok((status @ (409 | 410 | 429 | 500 | 503), answer)) => {
            Fate::Told(format!("{status} {}", answer["code"]))
        }
        Ok((status, answer)) => Fate::Wrong(format!("{status} {answer}")),
    }
}

/// A program that was killed has printed its own word or nothing.
fn belongs(answer: &Value, word: &str) -> bool {
    let said = answer["stdout"].as_str().unwrap_or_default();
    said.is_empty() || said == format!("{word}\n")
}

fn id(answer: &Value) -> String {
    String::from(answer["execution_id"].as_str().unwrap_or_default())
}

/// One session from its beginning to its end, which remembers a word.
async fn session(client: &Client, random: &mut StdRng) -> Fate {
    let (language, word) = (program::with_state(random), word(random));
    let begin = json!({"language": language.name, "ttl": 60});
    let session = match client.call(Method::POST, "sessions", Some(&begin)).await {
        Ok((201, answer)) => String::from(answer["session_id"].as_str().unwrap_or_default()),
        Ok((status, answer)) => return judge(Ok((status, answer)), &word),
        Err(error) => return Fate::Broken { error, later: None },
    };
    let mut ids = Vec::new();
    let keep = client.run(&language.keeping(&session, &word), None).await;
    match keep {
        Ok((200, answer)) if answer["status"] == "succeeded" => ids.push(id(&answer)),
        Ok((200, answer)) => return Fate::Told(format!("200 {}", answer["status"])),
        answer => return judge(answer, &word),
    }
    for _ in 0..random.random_range(1..4) {
        let shown = client.run(&language.showing(&session), None).await;
        if let Ok((200, answer)) = &shown
            && answer["state_lost"] == true
        {
            return Fate::Told(String::from("200 state_lost"));
        }
        match judge(shown, &word) {
            Fate::Done(more) => ids.extend(more),
            other => return other,
        }
    }
    match client.call(Method::DELETE, &format!("sessions/{session}"), None).await {
        Ok((200 | 404 | 410 | 503, _)) => Fate::Done(ids),
        Ok((status, answer)) => Fate::Wrong(format!("the end of a session: {status} {answer}")),
        Err(error) => Fate::Broken { error, later: None },
    }
}
