//! What another user may notice of a crowd.

use super::{Rule, Violation};

/// A program that computes may take as many times as long.
const BURN: f64 = 2.0;
/// The same of a step of a session, ...
const STEP: f64 = 3.0;
/// ... and so long, in seconds, in any case: a hand-over more or less.
const MOMENT: f64 = 0.025;

/// How long the other user waits, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a program that computes.
    pub burn: f64,
    /// For a step of a session.
    pub step: f64,
}

/// What is wrong with how long another user waited. Without cgroups nobody divides the processors.
pub fn crowd(before: Waits, during: Waits, cgroups: bool) -> Vec<Violation> {
    let mut found = Vec::new();
    if !cgroups {
        return found;
    }
    if during.burn > before.burn * BURN {
        found.push(slow("a program that computes", before.burn * BURN, during.burn));
    }
    if during.step > (before.step * STEP).max(MOMENT) {
        found.push(slow("a step of a session", (before.step * STEP).max(MOMENT), during.step));
    }
    found
}

fn slow(what: &str, most: f64, took: f64) -> Violation {
    let ms = |seconds: f64| format!("{what} in {:.0} ms", seconds * 1000.0);
    Violation::new(Rule::Bystander, ms(most), ms(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_wait_much_longer_has_noticed_something() {
        let before = Waits { burn: 0.2, step: 0.002 };
        assert_eq!(crowd(before, Waits { burn: 0.39, step: 0.02 }, true), []);
        let found = crowd(before, Waits { burn: 0.41, step: 0.03 }, true);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].seen, "a program that computes in 410 ms");
        assert_eq!(crowd(before, Waits { burn: 9.0, step: 9.0 }, false), []);
    }
}
