//! The machine that the service of our own is on.

use std::time::Duration;

use crate::attack::judge::{Objection, Rule};
use crate::attack::remains::{Place, Remains};
use crate::attack::trouble::Trouble;

/// How long after an attack something may still be on its way out.
const SETTLE: Duration = Duration::from_secs(8);
/// How long a service may take to come to rest at all.
const REST: Duration = Duration::from_secs(60);

/// What was there before.
pub(super) struct Ground {
    place: Place,
    /// Before everything.
    first: Remains,
    /// Before the next entry: what one has left is not blamed on the next.
    last: Remains,
    patience: f64,
}

impl Ground {
    /// Looks at it at rest.
    pub(super) fn of(place: Place, patience: f64) -> Result<Self, Trouble> {
        let first = Remains::at_rest(&place, REST.mul_f64(patience))
            .ok_or_else(|| Trouble::Restless(place.data.clone()))?;
        Ok(Self { place, last: first.clone(), first, patience })
    }

    /// What cannot be read here.
    pub(super) fn not_looked_at(&self) -> Vec<String> {
        self.first.not_looked_at.iter().cloned().collect()
    }

    /// What the last entry has left.
    pub(super) fn left_behind(&mut self) -> Vec<Objection> {
        let left = Remains::settle(&self.last, &self.place, SETTLE.mul_f64(self.patience));
        if !left.is_empty() {
            self.last = Remains::now(&self.place);
        }
        objections(left)
    }

    /// What all of them have left.
    pub(super) fn left_after_all(&self) -> Vec<Objection> {
        objections(Remains::settle(&self.first, &self.place, SETTLE.mul_f64(self.patience)))
    }
}

fn objections(left: Vec<String>) -> Vec<Objection> {
    left.into_iter().map(|left| Objection::new(Rule::Remained, "as before", left)).collect()
}
