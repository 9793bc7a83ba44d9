//! Programs that print a word which nobody else knows: what comes back belongs to whom it was sent.

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// A language, and how to say three things in it.
pub struct Language {
    pub name: &'static str,
    print: fn(&str, u32) -> String,
    keep: fn(&str) -> String,
    show: &'static str,
}

const PYTHON: Language = Language {
    name: "python",
    print: |word, ms| format!("import time; time.sleep({ms} / 1000); print('{word}')"),
    keep: |word| format!("kept = '{word}'"),
    show: "print(kept)",
};
const NODE: Language = Language {
    name: "node",
    print: |word, ms| format!("setTimeout(() => console.log('{word}'), {ms})"),
    keep: |word| format!("globalThis.kept = '{word}'"),
    show: "console.log(globalThis.kept)",
};
const BASH: Language = Language {
    name: "bash",
    print: |word, ms| format!("sleep {}.{:03}; echo {word}", ms / 1000, ms % 1000),
    keep: |word| format!("kept={word}"),
    show: "echo $kept",
};
const C: Language = Language {
    name: "c",
    print: |word, _| format!("int puts(const char *); int main(void) {{ puts(\"{word}\"); }}"),
    keep: |_| String::new(),
    show: "",
};

/// Those that have sessions worth the name.
const WITH_STATE: [&Language; 3] = [&PYTHON, &NODE, &BASH];
/// Each as often as it stands here: compiling takes the processors from everything else.
const MIX: [&Language; 8] = [&PYTHON, &PYTHON, &PYTHON, &NODE, &NODE, &BASH, &BASH, &C];

/// A word of one request's own.
pub fn word(random: &mut StdRng) -> String {
    format!("n{:016x}", random.random::<u64>())
}

/// A run that prints `word`, at once or a moment later.
pub fn printing(word: &str, random: &mut StdRng) -> Value {
    let language = MIX[random.random_range(0..MIX.len())];
    let ms = if random.random_bool(0.5) { 0 } else { random.random_range(1..600) };
    json!({"language": language.name, "code": (language.print)(word, ms)})
}

/// Any language with state.
pub fn with_state(random: &mut StdRng) -> &'static Language {
    WITH_STATE[random.random_range(0..WITH_STATE.len())]
}

impl Language {
    /// A run that remembers `word` in the session.
    pub fn keeping(&self, session: &str, word: &str) -> Value {
        json!({"language": self.name, "session_id": session, "code": (self.keep)(word)})
    }

    /// A run that prints what is remembered there.
    pub fn showing(&self, session: &str) -> Value {
        json!({"language": self.name, "session_id": session, "code": self.show})
    }
}
