//! Who runs and who waits: the rule of fair shares, without clocks, locks or tasks.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::owners::Bound;

/// How much there is to share.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Runs that go on at once; at least 1.
    pub slots: usize,
    /// Runs that wait, of all owners.
    pub waiting: usize,
    /// Runs that wait, of one owner.
    pub waiting_of_one: usize,
}

/// Names one run here.
pub type Number = u64;

/// A run that asks for a slot.
#[derive(Debug)]
pub struct Candidate {
    /// Not used before.
    pub number: Number,
    /// Whose it is.
    pub owner: String,
    /// The session it belongs to: its runs go on one after the other, in the order they came.
    pub session: Option<String>,
}

/// A queue without room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Which.
    pub bound: Bound,
    /// Whose turn it would have been: 1 is next.
    pub position: usize,
    /// Those who wait in it.
    pub length: usize,
}

/// What became of a candidate.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// It has a slot.
    Starts,
    /// It has a place in the queue.
    Waits,
}

/// Between two calls, none of those who wait may start; so whoever is let in at once overtakes nobody.
#[derive(Debug)]
pub struct Queue {
    size: Size,
    free: usize,
    waiting: usize,
    owners: HashMap<String, Share>,
    /// Owners of whom somebody waits, each once; the one whose turn it is comes first.
    turns: VecDeque<String>,
    /// Sessions in which something runs.
    busy: HashSet<String>,
}

/// One owner's.
#[derive(Debug, Default)]
struct Share {
    running: usize,
    waiting: VecDeque<Candidate>,
}

impl Queue {
    /// With every slot free.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            free: size.slots,
            waiting: 0,
            owners: HashMap::new(),
            turns: VecDeque::new(),
            busy: HashSet::new(),
        }
    }

    /// Gives a slot, or a place in the queue.
    ///
    /// # Errors
    /// [`Full`] when it would have to wait and there is no room for that.
    pub fn enter(&mut self, candidate: Candidate) -> Result<Entry, Full> {
        let running = self.running_of(&candidate.owner);
        if self.may_start(running) && !self.is_busy(&candidate) {
            self.start(&candidate);
            return Ok(Entry::Starts);
        }
        let own = self.owners.get(&candidate.owner).map_or(0, |share| share.waiting.len());
        if own >= self.size.waiting_of_one {
            return Err(Full { bound: Bound::Owner, position: own + 1, length: own });
        }
        if self.waiting >= self.size.waiting {
            let position = self.position(&candidate.owner, own);
            return Err(Full { bound: Bound::Worker, position, length: self.waiting });
        }
        if own == 0 {
            self.turns.push_back(candidate.owner.clone());
        }
        self.waiting += 1;
        let share = self.owners.entry(candidate.owner.clone()).or_default();
        share.waiting.push_back(candidate);
        Ok(Entry::Waits)
    }

    /// Takes one out who waits. The position it had, or `None` when it does not wait (any more).
    pub fn leave(&mut self, number: Number, owner: &str) -> Option<usize> {
        let waiting = &self.owners.get(owner)?.waiting;
        let index = waiting.iter().position(|candidate| candidate.number == number)?;
        let position = self.position(owner, index);
        self.take(owner, index);
        Some(position)
    }

    /// Takes a slot back. [`Queue::next`] must be called afterwards, until it gives nothing.
    pub fn finish(&mut self, owner: &str, session: Option<&str>) {
        self.free += 1;
        if let Some(session) = session {
            self.busy.remove(session);
        }
        if let Some(share) = self.owners.get_mut(owner) {
            share.running -= 1;
        }
        self.forget_if_idle(owner);
    }

    /// Gives a slot to the next one who may have it, and says who that is.
    pub fn next(&mut self) -> Option<Number> {
        let (turn, index) = self.turns.iter().enumerate().find_map(|(turn, owner)| {
            let share = self.owners.get(owner).filter(|share| self.may_start(share.running))?;
            // Behind one that waits for its session, others of the same owner need not wait.
            let index = share.waiting.iter().position(|candidate| !self.is_busy(candidate))?;
            Some((turn, index))
        })?;
        // Owners who were passed over keep their place before all others.
        let owner = self.turns.remove(turn)?;
        self.turns.push_back(owner.clone());
        let candidate = self.take(&owner, index)?;
        self.start(&candidate);
        Some(candidate.number)
    }

    /// Runs that go on.
    pub fn running(&self) -> usize {
        self.size.slots - self.free
    }

    /// Runs of `owner` that go on.
    pub fn running_of(&self, owner: &str) -> usize {
        self.owners.get(owner).map_or(0, |share| share.running)
    }

    /// Runs that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// The rule. An owner of whom nothing runs may have any slot. Others must leave one free for such
    /// an owner, and must hold fewer than twice what is free: the fuller it gets, the less may one hold.
    fn may_start(&self, running: usize) -> bool {
        match running {
            0 => self.free > 0,
            running => self.free > 1 && running < 2 * self.free,
        }
    }

    fn is_busy(&self, candidate: &Candidate) -> bool {
        candidate.session.as_ref().is_some_and(|session| self.busy.contains(session))
    }

    fn start(&mut self, candidate: &Candidate) {
        self.free -= 1;
        self.owners.entry(candidate.owner.clone()).or_default().running += 1;
        self.busy.extend(candidate.session.clone());
    }

    fn take(&mut self, owner: &str, index: usize) -> Option<Candidate> {
        let share = self.owners.get_mut(owner)?;
        let candidate = share.waiting.remove(index)?;
        self.waiting -= 1;
        if share.waiting.is_empty() {
            self.turns.retain(|other| other != owner);
        }
        self.forget_if_idle(owner);
        Some(candidate)
    }

    /// A worker that lives for months must not remember everybody who ever came.
    fn forget_if_idle(&mut self, owner: &str) {
        if self
            .owners
            .get(owner)
            .is_some_and(|share| share.running == 0 && share.waiting.is_empty())
        {
            self.owners.remove(owner);
        }
    }

    /// Whose turn it is, counted from 1, for the one of `owner` behind `before` of its own: in each round
    /// every owner is served once.
    fn position(&self, owner: &str, before: usize) -> usize {
        let mine = self.turns.iter().position(|other| other == owner);
        let others = self.turns.iter().enumerate().filter(|(_, other)| *other != owner);
        let ahead = others.map(|(turn, other)| {
            let rounds = before + usize::from(mine.is_none_or(|mine| turn < mine));
            self.owners.get(other).map_or(0, |share| share.waiting.len().min(rounds))
        });
        1 + before + ahead.sum::<usize>()
    }
}
