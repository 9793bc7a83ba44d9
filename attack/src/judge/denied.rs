//! `denied WHAT ERRNO`: a program says what was refused to it, and why.

use std::collections::BTreeSet;

use super::output::lines;
use super::{Rule, Violation};
use crate::corpus::Denial;

const DENIED: &str = "denied ";

/// The set of refusals has to be exactly the expected one: one more is a wall that nobody knows of,
/// one fewer an attack that was not made or not refused, and another reason another wall.
pub(super) fn violation(stdout: &str, expected: &[Denial]) -> Option<Violation> {
    let said: BTreeSet<&str> =
        lines(stdout).filter_map(|line| line.strip_prefix(DENIED)).map(str::trim_end).collect();
    let unexpected: Vec<&str> = said
        .iter()
        .copied()
        .filter(|line| !expected.iter().any(|denial| denial.allows(line)))
        .collect();
    let missing: Vec<String> = expected
        .iter()
        .filter(|denial| !said.iter().any(|line| denial.allows(line)))
        .map(|Denial { what, reasons }| format!("{what} {}", reasons.join("|")))
        .collect();
    if unexpected.is_empty() && missing.is_empty() {
        return None;
    }
    let none = |list: String| if list.is_empty() { String::from("nothing else") } else { list };
    Some(Violation::new(
        Rule::Denied,
        format!("denied {}", none(missing.join(", "))),
        format!("denied {}", none(unexpected.join(", "))),
    ))
}

impl Denial {
    fn allows(&self, line: &str) -> bool {
        let said = line.rsplit_once(' ');
        said.is_some_and(|(what, why)| {
            what == self.what && self.reasons.iter().any(|reason| reason == why)
        })
    }
}
