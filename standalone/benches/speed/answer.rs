//! The answer to a run, and what it must be.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest part of an answer that is shown when it is wrong, in characters.
const SHOWN: usize = 2000;

/// The parts of an answer that are looked at.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    status: String,
    stdout: String,
    #[serde(default)]
    results: Vec<RichResult>,
    #[serde(default)]
    phases: BTreeMap<String, Value>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct RichResult {
    mime: BTreeMap<String, String>,
}

impl Answer {
    /// From a response, which must be a 200.
    pub fn parse(status: u16, body: &Bytes) -> anyhow::Result<Self> {
        let text = shortened(body);
        ensure!(status == 200, "status {status}: {text}");
        let answer: Self = serde_json::from_slice(body).with_context(|| text.clone())?;
        Ok(Self { text, ..answer })
    }

    /// Fails unless the program succeeded and printed exactly this.
    pub fn printed(&self, expected: &str) -> anyhow::Result<()> {
        if self.status == "succeeded" && self.stdout == expected {
            return Ok(());
        }
        bail!("{} bytes of output were expected: {}", expected.len(), self.text)
    }

    /// The one picture that it displayed, in base64.
    pub fn picture(&self) -> anyhow::Result<&str> {
        let mut pictures = self.results.iter().filter_map(|result| result.mime.get("image/png"));
        match (pictures.next(), pictures.next()) {
            (Some(picture), None) if self.status == "succeeded" => Ok(picture.as_str()),
            (Some(_) | None, Some(_) | None) => bail!("one picture was expected: {}", self.text),
        }
    }
}

/// The beginning of a response, for a message.
pub fn shortened(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(SHOWN).collect()
}

/// Where the time of many runs went, as their answers say.
#[derive(Debug, Default, Serialize)]
pub struct Phases {
    answers: u32,
    /// Sums of whatever is a number, by its name in the answer.
    sums: BTreeMap<String, f64>,
    /// How often whatever is true or false was true.
    held: BTreeMap<String, u32>,
}

impl Phases {
    /// Counts one answer.
    pub fn add(&mut self, answer: &Answer) {
        self.answers += 1;
        for (name, value) in &answer.phases {
            if let Some(number) = value.as_f64() {
                *self.sums.entry(name.clone()).or_default() += number;
            }
            if let Some(held) = value.as_bool() {
                *self.held.entry(name.clone()).or_default() += u32::from(held);
            }
        }
    }

    /// `queue_ms 0.00, run_ms 1.20, cold_start 0 of 200`
    pub fn text(&self) -> String {
        let answers = f64::from(self.answers.max(1));
        let means = self.sums.iter().map(|(name, sum)| format!("{name} {:.2}", sum / answers));
        let held = self.held.iter();
        let shares = held.map(|(name, times)| format!("{name} {times} of {}", self.answers));
        means.chain(shares).collect::<Vec<_>>().join(", ")
    }
}
