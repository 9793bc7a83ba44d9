//! The account of what is kept: whose it is, how long it is, who has to make way. No file is touched
//! here.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use super::Bounds;
use super::entry::{Found, Name, Number};

/// What a file takes of the disk at least, and in steps of what: with many tiny ones, no fewer of them
/// are allowed than the disk has room for.
const BLOCK: u64 = 4096;

/// Which output streams are kept.
#[derive(Debug)]
pub(super) struct Catalogue {
    bounds: Bounds,
    files: BTreeMap<Number, Held>,
    names: HashMap<Name, Number>,
    owners: HashMap<String, Share>,
    /// Complete and published. The others are in use, and do not make way.
    finished: BTreeSet<Number>,
    bytes: u64,
    next: Number,
}

#[derive(Debug)]
struct Held {
    name: Name,
    owner: String,
    /// Written, or about to be.
    bytes: u64,
    /// Nothing is written any more.
    complete: bool,
    /// Of the stream, and when the file goes; absent until it is published.
    end: Option<(u64, Instant)>,
}

/// What one owner has.
#[derive(Debug, Default)]
struct Share {
    files: usize,
    finished: BTreeSet<Number>,
    bytes: u64,
}

impl Catalogue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            files: BTreeMap::new(),
            names: HashMap::new(),
            owners: HashMap::new(),
            finished: BTreeSet::new(),
            bytes: 0,
            next: 0,
        }
    }

    /// A new file, empty.
    pub(super) fn begin(&mut self, name: Name, owner: &str) -> Number {
        let number = self.next;
        self.next += 1;
        let owner = String::from(owner);
        self.owners.entry(owner.clone()).or_default().files += 1;
        self.files.insert(number, Held { name, owner, bytes: 0, complete: false, end: None });
        number
    }

    /// Makes room for `more` bytes of a file that is being written. Gives those that had to go for it,
    /// and for how many bytes there is room.
    pub(super) fn grow(&mut self, number: Number, more: u64) -> (Vec<Number>, u64) {
        let mut evicted = Vec::new();
        let Some(Held { owner, bytes, complete: false, .. }) = self.files.get(&number) else {
            return (evicted, 0);
        };
        let (owner, bytes) = (owner.clone(), *bytes);
        let needed = on_disk(bytes + more) - on_disk(bytes);
        while let Some(oldest) = self.in_the_way(&owner, needed) {
            self.drop_file(oldest);
            evicted.push(oldest);
        }
        let of_owner = (self.bounds.total / 2).saturating_sub(self.share_of(&owner));
        let free = of_owner.min(self.bounds.total.saturating_sub(self.bytes)) / BLOCK * BLOCK;
        let granted = more.min(on_disk(bytes) - bytes + free);
        let taken = on_disk(bytes + granted) - on_disk(bytes);
        if let Some(held) = self.files.get_mut(&number) {
            held.bytes += granted;
        }
        self.owners.entry(owner).or_default().bytes += taken;
        self.bytes += taken;
        (evicted, granted)
    }

    /// What has to go before anything else does, if `owner` needs so much more.
    fn in_the_way(&self, owner: &str, needed: u64) -> Option<Number> {
        if self.share_of(owner) + needed > self.bounds.total / 2 {
            return self.owners.get(owner)?.finished.first().copied();
        }
        let is_full = self.bytes + needed > self.bounds.total;
        if is_full { self.finished.first().copied() } else { None }
    }

    fn share_of(&self, owner: &str) -> u64 {
        self.owners.get(owner).map_or(0, |share| share.bytes)
    }

    /// Of `number`, nothing more is written than the `bytes` that are in the file.
    pub(super) fn complete(&mut self, number: Number, bytes: u64) {
        let Some(held) = self.files.get_mut(&number) else {
            return;
        };
        // A full disk may have taken less than there was room for here.
        let unused = on_disk(held.bytes).saturating_sub(on_disk(bytes));
        held.bytes = bytes;
        held.complete = true;
        let owner = held.owner.clone();
        self.bytes -= unused;
        if let Some(share) = self.owners.get_mut(&owner) {
            share.bytes -= unused;
        }
        self.settle(number);
    }

    /// From now on, and until `expires`, the file can be found, as one of a stream of `total` bytes. Gives
    /// the one that it replaces: ids are the callers', and may come twice.
    pub(super) fn publish(&mut self, number: Number, total: u64, expires: Instant) -> Vec<Number> {
        let Some(held) = self.files.get_mut(&number) else {
            return Vec::new();
        };
        held.end = Some((total, expires));
        let replaced = self.names.insert(held.name.clone(), number);
        replaced.iter().for_each(|replaced| self.drop_file(*replaced));
        self.settle(number);
        replaced.into_iter().collect()
    }

    /// A file that nobody works with any more is one that can make way.
    fn settle(&mut self, number: Number) {
        if let Some(Held { owner, complete: true, end: Some(_), .. }) = self.files.get(&number) {
            self.finished.insert(number);
            if let Some(share) = self.owners.get_mut(owner) {
                share.finished.insert(number);
            }
        }
    }

    /// Nobody works with the file any more. True if it is to be removed, because not all that makes it one
    /// to keep has come to pass, or it is forgotten already.
    pub(super) fn abandon(&mut self, number: Number) -> bool {
        let kept = self.finished.contains(&number);
        if !kept {
            self.drop_file(number);
        }
        !kept
    }

    /// Forgets a file.
    pub(super) fn drop_file(&mut self, number: Number) {
        let Some(held) = self.files.remove(&number) else {
            return;
        };
        let Held { name, owner, bytes, complete: _, end: _ } = held;
        self.finished.remove(&number);
        self.bytes -= on_disk(bytes);
        if self.names.get(&name) == Some(&number) {
            self.names.remove(&name);
        }
        if let Some(share) = self.owners.get_mut(&owner) {
            share.finished.remove(&number);
            share.bytes -= on_disk(bytes);
            share.files -= 1;
            if share.files == 0 {
                self.owners.remove(&owner);
            }
        }
    }

    /// A file of `owner` that was published.
    pub(super) fn find(&self, name: &Name, owner: &str, now: Instant) -> Option<Found> {
        let number = *self.names.get(name)?;
        let Held { name: _, owner: whose, bytes, complete, end } = self.files.get(&number)?;
        let (total, expires) = (*end)?;
        let found = Found { number, bytes: *bytes, total, complete: *complete };
        (whose == owner && now < expires).then_some(found)
    }

    /// Forgets those whose time is up, and gives them.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Number> {
        let over = |held: &Held| held.end.is_some_and(|(_, expires)| expires <= now);
        let expired: Vec<Number> =
            self.files.iter().filter(|(_, held)| over(held)).map(|(number, _)| *number).collect();
        expired.iter().for_each(|number| self.drop_file(*number));
        expired
    }

    /// Forgets all, and gives them.
    pub(super) fn clear(&mut self) -> Vec<Number> {
        let all: Vec<Number> = self.files.keys().copied().collect();
        all.iter().for_each(|number| self.drop_file(*number));
        all
    }
}

fn on_disk(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK) * BLOCK
}
