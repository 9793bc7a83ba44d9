//! `[[attack]]` and `[[ordinary]]`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Seconds that an attack has when it does not say.
const ATTACK: f64 = 5.0;
/// The same for an ordinary program: nobody wants to know how fast it is.
const ORDINARY: f64 = 30.0;

/// What is run, and all that it may come to.
#[derive(Clone, Debug)]
pub struct Program {
    /// Unique in the corpus.
    pub name: String,
    /// In which language.
    pub language: Language,
    /// The public escapes that it re-enacts.
    pub like: Vec<String>,
    /// What it tries, in a sentence.
    pub tries: String,
    /// The program.
    pub text: Text,
    /// Seconds that it may run.
    pub timeout: f64,
    /// Fields of the request beside those above, as the REST API spells them.
    pub fields: BTreeMap<String, Value>,
    /// Packages or executables without which it says nothing.
    pub needs: Vec<String>,
    /// What it may come to where every wall is enforced.
    pub expected: Expectation,
    /// The same where only resource limits stand in for cgroups.
    pub without_cgroups: Expectation,
    /// Why it gets through there, if it is known to: still a finding, and one that surprises nobody.
    pub open_without_cgroups: Option<String>,
}

/// Which interpreter or compiler.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript.
    Node,
    /// TypeScript.
    TypeScript,
    /// Bash.
    Bash,
    /// C.
    C,
    /// C++.
    Cpp,
}

impl Language {
    /// As the API knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::TypeScript => "typescript",
            Self::Bash => "bash",
            Self::C => "c",
            Self::Cpp => "cpp",
        }
    }
}

/// The program's text.
#[derive(Clone, Debug)]
pub enum Text {
    /// In a sandbox of its own.
    Once(String),
    /// One after the other in one session.
    Steps(Vec<String>),
}

/// All that a program may come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// Each status that is right, of the last step. The code of a refusal, such as `session_lost`,
    /// counts as one.
    pub ends: Vec<String>,
    /// Exactly the refusals that it met; not looked at when there is no list.
    pub denied: Option<Vec<Denial>>,
    /// Parts that its standard output has.
    pub prints: Vec<String>,
    /// Parts that nothing which comes back has.
    pub hides: Vec<String>,
}

/// `mount EPERM|ENOSYS`: what was refused, and the reasons that are right.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Denial {
    /// What the program tried.
    pub what: String,
    /// Names of the errors that are right.
    pub reasons: Vec<String>,
}

impl TryFrom<String> for Denial {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (what, reasons) = text.rsplit_once(' ').ok_or("must be WHAT ERRNO|ERRNO")?;
        let reasons = reasons.split('|').map(String::from).collect();
        Ok(Self { what: String::from(what), reasons })
    }
}

/// An entry as it is written; the two kinds have the same fields, and need different ones.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    language: Language,
    #[serde(default)]
    like: Vec<String>,
    #[serde(default)]
    tries: String,
    code: Option<String>,
    steps: Option<Vec<String>>,
    timeout: Option<f64>,
    limits: Option<Value>,
    env: Option<Value>,
    args: Option<Value>,
    stdin: Option<Value>,
    files: Option<Value>,
    compiler_flags: Option<Value>,
    collect: Option<Value>,
    large_results: Option<Value>,
    network: Option<Value>,
    #[serde(default)]
    needs: Vec<String>,
    ends: Option<Vec<String>>,
    denied: Option<Vec<Denial>>,
    #[serde(default)]
    prints: Vec<String>,
    #[serde(default)]
    hides: Vec<String>,
    without_cgroups: Option<Otherwise>,
}

/// What is different without cgroups; the rest stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Otherwise {
    open: Option<String>,
    ends: Option<Vec<String>>,
    denied: Option<Vec<Denial>>,
    prints: Option<Vec<String>>,
    hides: Option<Vec<String>>,
}

/// `[[attack]]`: says how it may end.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Attack(Program);

/// `[[ordinary]]`: succeeds.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Ordinary(Program);

impl TryFrom<Written> for Attack {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let name = written.name.clone();
        let ends = written.ends.clone().filter(|ends| !ends.is_empty());
        let ends = ends.ok_or_else(|| format!("{name:?}: ends must name a status"))?;
        if written.tries.is_empty() {
            return Err(format!("{name:?}: tries must say what it tries"));
        }
        written.program(ends, ATTACK).map(Self).map_err(|why| format!("{name:?}: {why}"))
    }
}

impl TryFrom<Written> for Ordinary {
    type Error = String;

    fn try_from(mut written: Written) -> Result<Self, String> {
        let name = written.name.clone();
        if written.ends.is_some() || written.denied.is_some() {
            return Err(format!("{name:?}: an ordinary program succeeds, and is denied nothing"));
        }
        let ends = vec![String::from("succeeded")];
        if written.tries.is_empty() {
            written.tries = String::from("Nothing: it has to work.");
        }
        written.program(ends, ORDINARY).map(Self).map_err(|why| format!("{name:?}: {why}"))
    }
}

impl From<Attack> for Program {
    fn from(Attack(program): Attack) -> Self {
        program
    }
}

impl From<Ordinary> for Program {
    fn from(Ordinary(program): Ordinary) -> Self {
        program
    }
}

impl Written {
    fn program(self, ends: Vec<String>, timeout: f64) -> Result<Program, &'static str> {
        let text = match (self.code, self.steps) {
            (Some(code), None) => Text::Once(code),
            (None, Some(steps)) if !steps.is_empty() => Text::Steps(steps),
            (None, _) => return Err("needs code or steps"),
            (Some(_), Some(_)) => return Err("has both code and steps"),
        };
        let fields = [
            ("limits", self.limits),
            ("env", self.env),
            ("args", self.args),
            ("stdin", self.stdin),
            ("files", self.files),
            ("compiler_flags", self.compiler_flags),
            ("collect", self.collect),
            ("large_results", self.large_results),
            ("network", self.network),
        ];
        let fields =
            fields.into_iter().filter_map(|(name, value)| Some((String::from(name), value?)));
        let expected =
            Expectation { ends, denied: self.denied, prints: self.prints, hides: self.hides };
        let mut open_without_cgroups = None;
        let without_cgroups = match self.without_cgroups {
            None => expected.clone(),
            Some(other) => {
                open_without_cgroups = other.open;
                Expectation {
                    ends: other.ends.unwrap_or_else(|| expected.ends.clone()),
                    denied: other.denied.or_else(|| expected.denied.clone()),
                    prints: other.prints.unwrap_or_else(|| expected.prints.clone()),
                    hides: other.hides.unwrap_or_else(|| expected.hides.clone()),
                }
            }
        };
        Ok(Program {
            name: self.name,
            language: self.language,
            like: self.like,
            tries: self.tries,
            text,
            timeout: self.timeout.unwrap_or(timeout),
            fields: fields.collect(),
            needs: self.needs,
            expected,
            without_cgroups,
            open_without_cgroups,
        })
    }
}
