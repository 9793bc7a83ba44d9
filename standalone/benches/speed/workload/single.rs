//! One caller, one run after the other, both sides in turns.

use std::thread::sleep;
use std::time::Duration;

use super::Stage;
use crate::answer::Phases;
use crate::caller::{Caller, Ran};
use crate::figures::Figures;

/// Pairs that are played first and not counted: connections, page cache, first plots.
const WARM_UP: u32 = 2;

/// Idle time after a bare process, which leaves nothing to be done.
const PAUSE: Duration = Duration::from_millis(10);

/// Something to run on both sides. Each checks what came out.
pub trait Single {
    /// Over HTTP.
    fn crucible(&mut self, caller: &mut Caller, turn: u32) -> anyhow::Result<Ran>;
    /// As a process.
    fn bare(&mut self, turn: u32) -> anyhow::Result<Duration>;
}

/// Both sides' figures.
pub struct Pairs {
    /// Over HTTP.
    pub crucible: Figures,
    /// As a process.
    pub bare: Figures,
    /// What the answers say.
    pub phases: Phases,
}

/// Plays it.
pub fn compare(stage: &Stage<'_>, on: &mut dyn Single) -> anyhow::Result<Pairs> {
    let mut caller = stage.service.caller()?;
    let (mut crucible, mut bare) = (Vec::new(), Vec::new());
    let mut phases = Phases::default();
    for turn in 0..WARM_UP + stage.effort.pairs {
        let Ran { took, answer } = on.crucible(&mut caller, turn)?;
        sleep(stage.effort.settle);
        let bare_took = on.bare(turn)?;
        sleep(PAUSE);
        if turn >= WARM_UP {
            crucible.push(took);
            bare.push(bare_took);
            phases.add(&answer);
        }
    }
    Ok(Pairs { crucible: Figures::in_a_row(crucible), bare: Figures::in_a_row(bare), phases })
}
