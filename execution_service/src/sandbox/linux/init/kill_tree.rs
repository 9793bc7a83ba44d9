//! Killing one process with all that came of it, and nothing else.

use std::collections::{HashMap, HashSet};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::processes::{self, ProcessEntry};
use crate::sandbox::linux::wire::init::KillTree;

/// After so many rounds in which there was always somebody new, they are made faster than they can be told
/// apart.
const MOST_ROUNDS: usize = 50;

/// Kills them; `false` if it cannot be done so, and every process has to go.
///
/// A process that was killed makes no others. So it is over when a look finds nobody new: the dying may
/// still be there, and take as long as they need.
pub fn kill_tree(tree: &KillTree) -> bool {
    let mut killed = HashSet::new();
    for _ in 0..MOST_ROUNDS {
        let mut table: Vec<_> =
            processes::others().into_iter().filter_map(ProcessEntry::read).collect();
        // A sandbox without a `/proc` sees not even init.
        let Some(init) = ProcessEntry::read(1) else {
            return false;
        };
        table.push(init);
        let found: Vec<_> =
            victims(&table, tree).into_iter().filter(|victim| killed.insert(*victim)).collect();
        if found.is_empty() {
            return true;
        }
        for victim in found {
            // An error means that it has just ended.
            let _ = kill(Pid::from_raw(victim.pid), Signal::SIGKILL);
        }
    }
    false
}

/// Which of `table` are to die.
fn victims(table: &[ProcessEntry], tree: &KillTree) -> Vec<ProcessEntry> {
    let parents: HashMap<i32, i32> = table.iter().map(|entry| (entry.pid, entry.parent)).collect();
    let births: HashMap<i32, u64> = table.iter().map(|entry| (entry.pid, entry.born)).collect();
    let belongs = |entry: &ProcessEntry, leaders: &[i32]| {
        leaders.contains(&entry.session)
            || ancestors(entry.pid, &parents).any(|pid| leaders.contains(&pid))
    };
    // What an older process does below the root is that one's business. A birth is known to a tick: what came
    // in the first one of all may be the run's, and is taken for it.
    let is_new = |entry: &ProcessEntry| {
        let below = ancestors(entry.pid, &parents).take_while(|pid| *pid != tree.root);
        below.filter_map(|pid| births.get(&pid)).all(|born| *born >= tree.since)
    };
    let dies = |entry: &&ProcessEntry| {
        // Init is everybody's ancestor in the end, and its session (0) is no process's.
        entry.pid > 1
            && !belongs(entry, &tree.spared)
            && is_new(entry)
            && (tree.orphans || belongs(entry, &[tree.root]))
    };
    table.iter().filter(dies).copied().collect()
}

/// `pid`, its parent, and so on. The table was not read at one moment: numbers may have come round.
fn ancestors(pid: i32, parents: &HashMap<i32, i32>) -> impl Iterator<Item = i32> {
    let line = std::iter::successors(Some(pid), |pid| parents.get(pid).copied());
    line.take_while(|pid| *pid > 1).take(parents.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(pid: i32, parent: i32, session: i32, born: u64) -> ProcessEntry {
        ProcessEntry { pid, parent, session, born }
    }

    fn pids(table: &[ProcessEntry], tree: &KillTree) -> Vec<i32> {
        victims(table, tree).iter().map(|victim| victim.pid).collect()
    }

    #[test]
    fn what_came_of_a_process_dies_with_it() {
        let table = [
            entry(1, 0, 0, 0),
            entry(2, 1, 2, 10),
            entry(3, 1, 3, 20),
            // Descends; has left the session; is an orphan of it; is a daemon.
            entry(4, 3, 3, 30),
            entry(5, 4, 5, 30),
            entry(6, 1, 3, 30),
            entry(7, 1, 7, 30),
            // The other one's child, its orphan, and an older daemon.
            entry(8, 2, 8, 30),
            entry(9, 1, 2, 30),
            entry(10, 1, 10, 15),
            // A daemon as old as the start, and a child that is.
            entry(11, 1, 11, 25),
            entry(12, 3, 3, 25),
            // An older child, what came of it since, and an older orphan of the session.
            entry(13, 3, 13, 22),
            entry(14, 13, 13, 30),
            entry(15, 1, 3, 22),
        ];
        let tree = KillTree { root: 3, spared: vec![2], since: 25, orphans: false };
        assert_eq!(pids(&table, &tree), [3, 4, 5, 6, 12]);
        assert_eq!(pids(&table, &KillTree { orphans: true, ..tree }), [3, 4, 5, 6, 7, 11, 12]);
    }

    #[test]
    fn who_is_spared_is_not_killed_as_somebody_elses_child() {
        let table = [entry(1, 0, 0, 0), entry(2, 1, 2, 1), entry(3, 2, 3, 2), entry(4, 3, 4, 3)];
        let tree = KillTree { root: 2, spared: vec![3], since: 0, orphans: true };
        assert_eq!(pids(&table, &tree), [2]);
        assert_eq!(pids(&table, &KillTree { root: 1, spared: Vec::new(), ..tree }), [2, 3, 4]);
    }

    /// Few numbers, so that there are circles, orphans and sessions without a leader.
    fn table() -> impl Strategy<Value = Vec<ProcessEntry>> {
        let one = (0..12, 0..12, 0_u64..8);
        proptest::collection::vec(one, 0..12).prop_map(|rest| {
            let numbered = rest.into_iter().zip(2..);
            let others =
                numbered.map(|((parent, session, born), pid)| entry(pid, parent, session, born));
            std::iter::once(entry(1, 0, 0, 0)).chain(others).collect()
        })
    }

    proptest! {
        #[test]
        fn a_spared_one_and_its_descendants_are_never_chosen(
            table in table(),
            root in 0..12,
            spared in proptest::collection::vec(2..12, 0..3),
            (since, orphans) in (0_u64..8, any::<bool>()),
        ) {
            let tree = KillTree { root, spared: spared.clone(), since, orphans };
            let chosen = pids(&table, &tree);
            prop_assert!(!chosen.contains(&1));
            let mut safe: HashSet<i32> = spared.into_iter().collect();
            loop {
                let children = table.iter().filter(|entry| safe.contains(&entry.parent));
                let more: Vec<i32> = children.map(|entry| entry.pid).collect();
                let before = safe.len();
                // Whatever calls itself the parent of init is of no consequence to it.
                safe.extend(more.into_iter().filter(|pid| *pid > 1));
                if safe.len() == before {
                    break;
                }
            }
            for pid in chosen {
                prop_assert!(!safe.contains(&pid), "{} of {:?}", pid, table);
            }
        }

        #[test]
        fn who_was_alone_leaves_nothing_that_was_born_since(table in table(), since in 0_u64..8) {
            // A root that has ended already.
            let tree = KillTree { root: 99, spared: Vec::new(), since, orphans: true };
            let chosen = pids(&table, &tree);
            // Below an older process it is that one's.
            let orphans = table.iter().filter(|entry| entry.pid > 1 && entry.parent == 1);
            for orphan in orphans {
                prop_assert_eq!(chosen.contains(&orphan.pid), orphan.born >= since, "{:?}", orphan);
            }
        }

        #[test]
        fn the_root_dies_unless_it_is_spared(table in table(), root in 2..12) {
            let tree = KillTree { root, spared: Vec::new(), since: 5, orphans: false };
            let there = table.iter().any(|entry| entry.pid == root);
            prop_assert_eq!(pids(&table, &tree).contains(&root), there);
        }
    }
}
