//! How far packages are: a bar on a terminal, some lines elsewhere.

use std::io::{IsTerminal, Write};

use super::report;
use crate::provision::Progress;

/// Characters of the bar itself.
const WIDTH: usize = 24;
/// How often a line is printed where there is no terminal.
const LINES: usize = 4;

/// The display of one attempt.
pub(super) struct Bar {
    /// What is being installed.
    name: String,
    terminal: bool,
    /// Where there is no terminal: of how many fourths it has told.
    told: usize,
}

impl Bar {
    /// Of what `name` says, with nothing done.
    pub(super) fn new(name: &str) -> Self {
        // Of a path its end: a bar has one line.
        let name = name.rsplit('/').next().unwrap_or(name);
        Self { name: String::from(name), terminal: std::io::stdout().is_terminal(), told: 0 }
    }

    /// Shows a step.
    pub(super) fn show(&mut self, step: Progress<'_>) {
        if self.terminal {
            let line = line(&self.name, step);
            // The cursor goes back to the beginning: what others print next takes the place of the bar.
            let mut out = anstream::stdout();
            let _ = write!(out, "\r\x1b[2K{}\r", telemetry::plain(&line));
            let _ = out.flush();
            return;
        }
        match step {
            Progress::Package { number, of, .. } => {
                let fourths = number * LINES / of.max(1);
                if fourths > self.told && fourths < LINES {
                    self.told = fourths;
                    report::packages_step(&self.name, &format!("{number} of {of} packages"));
                }
            }
            Progress::Doing(what) => report::packages_step(&self.name, what),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.terminal {
            let mut out = anstream::stdout();
            let _ = write!(out, "\r\x1b[2K").and_then(|()| out.flush());
        }
    }
}

fn line(name: &str, step: Progress<'_>) -> String {
    match step {
        Progress::Package { name: package, number, of } => {
            let filled = (WIDTH * number / of.max(1)).min(WIDTH);
            let (done, left) = ("#".repeat(filled), ".".repeat(WIDTH - filled));
            format!("Packages ({name}) [{done}{left}] {number}/{of} {package:.24}")
        }
        Progress::Doing(what) => format!("Packages ({name}) {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_long_as_what_is_done() {
        let step = |number| Progress::Package { name: "numpy", number, of: 88 };
        let shown = line("standard", step(44));
        assert!(shown.contains("[############............] 44/88 numpy"), "{shown}");
        assert!(line("standard", step(88)).contains("[########################] 88/88"));
        assert!(line("standard", step(99)).contains("[########################] 99/88"));
    }
}
