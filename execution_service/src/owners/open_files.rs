//! Open files, of which the host has one table: the sum of those of one owner is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Evicted, Member, Owners};
use crate::sandbox::backend::Sandbox;
use crate::sandbox::spec::MOST_OPEN_FILES_OF_OWNER;

impl Owners {
    /// Which sandboxes must go, of owners whose sandboxes have more open files than those of one may: as many as it
    /// takes, the largest first. They are not counted again while they go.
    pub async fn too_many_files(&self) -> Vec<Evicted> {
        let members: Vec<(u64, String, Arc<dyn Sandbox>)> = {
            let state = self.lock();
            let stays = |(_, member): &(&u64, &Member)| !member.leaves;
            let of = |(number, member): (&u64, &Member)| {
                (*number, member.owner.clone(), Arc::clone(&member.sandbox))
            };
            state.members.iter().filter(stays).map(of).collect()
        };
        let mut owners = HashMap::<String, Vec<(u64, u64)>>::new();
        for (number, owner, sandbox) in members {
            let count = sandbox.open_files().await;
            if count > 0 {
                owners.entry(owner).or_default().push((count, number));
            }
        }
        let mut state = self.lock();
        let leave = |number: u64| {
            let member = state.members.get_mut(&number)?;
            member.leaves = true;
            Some(Evicted {
                sandbox: Arc::clone(&member.sandbox),
                activity: member.activity.clone(),
                held: member.promised.footprint,
            })
        };
        owners.into_values().flat_map(beyond).filter_map(leave).collect()
    }
}

/// Of the sandboxes of one owner, with what each has, those without which the others have no more than they may.
fn beyond(mut sandboxes: Vec<(u64, u64)>) -> Vec<u64> {
    sandboxes.sort_unstable();
    let mut sum: u64 = sandboxes.iter().map(|(count, _)| *count).sum();
    let mut gone = Vec::new();
    while sum > MOST_OPEN_FILES_OF_OWNER
        && let Some((count, largest)) = sandboxes.pop()
    {
        sum -= count;
        gone.push(largest);
    }
    gone
}
