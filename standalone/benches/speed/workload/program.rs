//! Whole programs: the same source text, stateless on one side, a process on the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::single::Single;
use crate::bare::{self, Workshop};
use crate::caller::{Caller, Ran};

/// Python's hello, which is what others are measured against as well.
pub const PYTHON_HELLO: &str = "print('hello')";

const PANDAS: &str = "\
import numpy, pandas
frame = pandas.DataFrame({'a': numpy.arange(3), 'b': [0.5, 1.5, 2.5]})
print(frame['a'].sum(), frame['b'].mean())";

/// A mebibyte with the end of the line.
const MEBIBYTE: &str = "print('x' * (2 ** 20 - 1))";

/// A program and what it prints.
pub struct Program {
    language: &'static str,
    source: String,
    /// The number of the run is part of the text.
    changing: bool,
    expected: String,
    bare: Bare,
}

enum Bare {
    /// `executable flag source`
    Interpreted {
        executable: PathBuf,
        flag: &'static str,
    },
    Compiled(Workshop),
}

impl Program {
    /// `print`
    pub fn python_hello(python: &Path) -> Self {
        Self::interpreted("python", python, "-c", PYTHON_HELLO, "hello\n")
    }

    /// `console.log`
    pub fn node_hello(node: &Path) -> Self {
        Self::interpreted("node", node, "-e", "console.log('hello')", "hello\n")
    }

    /// `echo`
    pub fn bash_hello(bash: &Path) -> Self {
        Self::interpreted("bash", bash, "-c", "echo hello", "hello\n")
    }

    /// Imports and a frame.
    pub fn pandas(python: &Path) -> Self {
        Self::interpreted("python", python, "-c", PANDAS, "3 1.5\n")
    }

    /// Much output.
    pub fn mebibyte(python: &Path) -> Self {
        let expected = "x".repeat((1 << 20) - 1) + "\n";
        Self::interpreted("python", python, "-c", MEBIBYTE, &expected)
    }

    /// `puts`; a text that is `changing` has to be compiled each time.
    pub fn c_hello(gcc: &Path, changing: bool) -> anyhow::Result<Self> {
        Ok(Self {
            language: "c",
            source: String::from("#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n"),
            changing,
            expected: String::from("hello\n"),
            bare: Bare::Compiled(Workshop::new(gcc)?),
        })
    }

    fn interpreted(
        language: &'static str,
        executable: &Path,
        flag: &'static str,
        source: &str,
        expected: &str,
    ) -> Self {
        Self {
            language,
            source: String::from(source),
            changing: false,
            expected: String::from(expected),
            bare: Bare::Interpreted { executable: executable.to_owned(), flag },
        }
    }

    fn text(&self, turn: u32) -> String {
        if self.changing { format!("{}// {turn}\n", self.source) } else { self.source.clone() }
    }
}

impl Single for Program {
    fn crucible(&mut self, caller: &mut Caller, turn: u32) -> anyhow::Result<Ran> {
        let request = json!({"language": self.language, "code": self.text(turn)});
        let ran = caller.run(&request)?;
        ran.answer.printed(&self.expected)?;
        Ok(ran)
    }

    fn bare(&mut self, turn: u32) -> anyhow::Result<Duration> {
        let text = self.text(turn);
        match &self.bare {
            Bare::Interpreted { executable, flag } => {
                bare::time(&mut bare::command(executable, [*flag, &text]), &self.expected)
            }
            Bare::Compiled(workshop) => workshop.time(&text, &self.expected),
        }
    }
}
