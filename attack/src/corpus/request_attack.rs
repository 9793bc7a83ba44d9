//! `[[request]]`: an attack on the service itself.

use serde::Deserialize;
use toml::Table;

use super::request_template::RequestTemplate;

/// What is sent to the service itself.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Table")]
pub struct RequestAttack {
    /// Unique in the corpus.
    pub name: String,
    /// What it tries, in a sentence.
    pub tries: String,
    /// What is sent.
    pub first: RequestTemplate,
    /// What is sent after the answer to that.
    pub then: Option<RequestTemplate>,
    /// How often the first one is sent, and which answers one of them has to have.
    pub volley: Volley,
    /// Not against a live service: it would be in the way of that one's users.
    pub only_private: bool,
}

/// The same request many times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volley {
    /// How many times.
    pub times: usize,
    /// How many of them at once.
    pub at_once: usize,
    /// Statuses of which one has to be among the answers; any will do when this is empty.
    #[serde(default)]
    pub some: Vec<u16>,
    /// Meanwhile everything that the attacker runs is cancelled, again and again.
    #[serde(default)]
    pub cancelled: bool,
}

impl Default for Volley {
    fn default() -> Self {
        Self { times: 1, at_once: 1, some: Vec::new(), cancelled: false }
    }
}

/// What stands in an entry beside the fields of its first [`RequestTemplate`].
#[derive(Deserialize)]
struct Frame {
    name: String,
    tries: String,
    then: Option<RequestTemplate>,
    #[serde(default)]
    volley: Volley,
    #[serde(default)]
    only_private: bool,
}

/// The fields of [`Frame`], which a [`RequestTemplate`] would refuse.
const FRAME: [&str; 5] = ["name", "tries", "then", "volley", "only_private"];

impl TryFrom<Table> for RequestAttack {
    type Error = String;

    fn try_from(mut entry: Table) -> Result<Self, String> {
        let frame: Table = FRAME
            .into_iter()
            .filter_map(|field| Some((String::from(field), entry.remove(field)?)))
            .collect();
        let Frame { name, tries, then, volley, only_private } =
            frame.try_into().map_err(|error| error.to_string())?;
        let first = entry.try_into().map_err(|error| format!("{name:?}: {error}"))?;
        Ok(Self { name, tries, first, then, volley, only_private })
    }
}
