//! One interpreter that lives on without any walls, told over pipes what to draw: the other side of
//! plots in a session.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::bare;

/// Runs what it is sent and answers with the picture that `show` would display, made as a
/// sandbox's kernel makes it.
const INTERPRETER: &str = r#"
import base64, io, json, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
picture = None
def show():
    global picture
    target = io.BytesIO()
    plt.gcf().savefig(target, format="png", bbox_inches="tight")
    plt.close()
    picture = base64.b64encode(target.getvalue()).decode()
plt.show = show
for line in sys.stdin:
    exec(json.loads(line))
    print(json.dumps(picture), flush=True)
"#;

/// The running interpreter; it ends with this value.
pub struct Interpreter {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Interpreter {
    /// Starts it. matplotlib is imported by the time of the first answer.
    pub fn start(python: &Path, home: &Path) -> anyhow::Result<Self> {
        let mut command = bare::command(python, ["-c", INTERPRETER]);
        // Where matplotlib keeps its list of fonts; without one it would look for them each time.
        command.env("MPLCONFIGDIR", home);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let answers = child.stdout.take().context("it is piped")?;
        Ok(Self { child, requests, answers: BufReader::new(answers) })
    }

    /// Draws; the time until the picture was there, and the picture in base64.
    pub fn draw(&mut self, source: &str) -> anyhow::Result<(Duration, String)> {
        let request = json!(source).to_string() + "\n";
        let mut answer = String::with_capacity(1 << 16);
        let started = Instant::now();
        let requests = self.requests.as_mut().context("it is open until the end")?;
        requests.write_all(request.as_bytes())?;
        self.answers.read_line(&mut answer)?;
        let took = started.elapsed();
        match serde_json::from_str(&answer) {
            Ok(Value::String(picture)) => Ok((took, picture)),
            Ok(_) | Err(_) => bail!("the bare interpreter drew nothing: {answer:?}"),
        }
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        // The end of its input is its end.
        self.requests = None;
        let _ = self.child.wait();
    }
}
