//! What the bystander asks, and the only right answer.

use serde_json::{Value, json};

/// Asked in a session that holds a note as a file and another one of the same length in `NOTE`.
pub struct Probe {
    /// python, node or bash.
    pub language: &'static str,
    /// Its id.
    pub session: String,
    /// The length of the notes.
    pub note: usize,
}

impl Probe {
    /// A run, and what it has to print: no two are the same, so that an old answer is a wrong one.
    /// The notes themselves are never printed, only that they are whole.
    pub fn number(&self, number: u64) -> (Value, String) {
        let code = match self.language {
            "python" => format!(
                "import os; print({number} * 7, len(open('note').read()), len(os.environ['NOTE']))"
            ),
            "node" => format!(
                "console.log({number} * 7, require('fs').readFileSync('note').length, \
                 process.env.NOTE.length)"
            ),
            _ => format!("echo $(({number} * 7)) $(wc -c < note) ${{#NOTE}}"),
        };
        let body = json!({"language": self.language, "session_id": self.session, "code": code});
        (body, format!("{} {} {}\n", number * 7, self.note, self.note))
    }
}
