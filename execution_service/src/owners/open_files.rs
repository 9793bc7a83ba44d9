//! Open files, of which the host has one table: the sum of those of one owner is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Evicted, Member, Owners};
use crate::sandbox::spec::MOST_OPEN_FILES_OF_OWNER;

impl Owners {
    /// Which sandboxes must go, of owners whose sandboxes have more open files than those of one may: as many as it
    /// takes, the largest first.
    pub async fn too_many_files(&self) -> Vec<Evicted> {
        let members: Vec<(String, Evicted)> = {
            let state = self.lock();
            let of = |member: &Member| {
                let it = Evicted {
                    sandbox: Arc::clone(&member.sandbox),
                    activity: member.activity.clone(),
                    held: member.promised.footprint,
                };
                (member.owner.clone(), it)
            };
            state.members.values().filter(|member| member.stays()).map(of).collect()
        };
        let mut owners = HashMap::<String, Vec<(u64, Evicted)>>::new();
        for (owner, member) in members {
            let count = member.sandbox.open_files().await;
            if count > 0 {
                owners.entry(owner).or_default().push((count, member));
            }
        }
        owners.into_values().flat_map(beyond).collect()
    }
}

/// Of the sandboxes of one owner, with what each has, those without which the others have no more than they may.
fn beyond(mut sandboxes: Vec<(u64, Evicted)>) -> Vec<Evicted> {
    sandboxes.sort_by_key(|(count, _)| *count);
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
