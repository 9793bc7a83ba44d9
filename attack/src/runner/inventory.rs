//! What the worker believes it holds beside what the kernel says there is: a service keeps both
//! accounts itself, and tells them with its metrics.

use std::collections::BTreeMap;

const HELD: &str = "crucible_worker_held{";

/// Whatever the kernel has more of than the worker knows, in words; `None` where no such account is
/// kept.
pub(super) fn unaccounted(metrics: &str) -> Option<Vec<String>> {
    let mut held: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for line in metrics.lines() {
        let Some((labels, count)) = line.strip_prefix(HELD).and_then(|rest| rest.split_once("} "))
        else {
            continue;
        };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0)
        };
        if let (Some(what), Some(side), Ok(count)) =
            (label("what"), label("according_to"), count.parse())
        {
            held.entry(what).or_default().insert(side, count);
        }
    }
    let more = |(what, sides): (&&str, &BTreeMap<&str, u64>)| {
        let (worker, kernel) = (sides.get("worker")?, sides.get("kernel")?);
        (kernel > worker)
            .then(|| format!("{kernel} {what} according to the kernel, {worker} to the worker"))
    };
    (!held.is_empty()).then(|| held.iter().filter_map(more).collect())
}

#[cfg(test)]
mod tests {
    use super::unaccounted;

    #[test]
    fn what_only_the_kernel_knows_of_is_named() {
        let metrics = "# TYPE crucible_worker_held gauge\n\
            crucible_worker_held{what=\"sandboxes\",according_to=\"worker\"} 8\n\
            crucible_worker_held{what=\"sandboxes\",according_to=\"kernel\"} 9\n\
            crucible_worker_held{what=\"descriptors\",according_to=\"worker\"} 352\n\
            crucible_worker_held{what=\"descriptors\",according_to=\"kernel\"} 92\n\
            crucible_worker_held{what=\"cgroups\",according_to=\"worker\"} 32\n";
        let found = unaccounted(metrics).expect("there is an account");
        assert_eq!(found, ["9 sandboxes according to the kernel, 8 to the worker"]);
        assert_eq!(unaccounted("crucible_worker_up 1\n"), None);
    }
}
