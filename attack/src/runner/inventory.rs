//! What the worker believes it holds beside what the kernel says there is: a service keeps both
//! accounts itself, and tells them with its metrics.

use std::collections::BTreeMap;

const INVENTORY: &str = "crucible_worker_inventory{";

/// Whatever the kernel has more of than the worker knows, in words; `None` where no such account is
/// kept.
pub(super) fn unaccounted(metrics: &str) -> Option<Vec<String>> {
    let mut inventory: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for line in metrics.lines() {
        let Some((labels, count)) =
            line.strip_prefix(INVENTORY).and_then(|rest| rest.split_once("} "))
        else {
            continue;
        };
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0)
        };
        if let (Some(kind), Some(source), Ok(count)) =
            (label("kind"), label("source"), count.parse())
        {
            inventory.entry(kind).or_default().insert(source, count);
        }
    }
    let more = |(kind, sides): (&&str, &BTreeMap<&str, u64>)| {
        let (worker, kernel) = (sides.get("worker")?, sides.get("kernel")?);
        (kernel > worker)
            .then(|| format!("{kernel} {kind} according to the kernel, {worker} to the worker"))
    };
    (!inventory.is_empty()).then(|| inventory.iter().filter_map(more).collect())
}

#[cfg(test)]
mod tests {
    use super::unaccounted;

    #[test]
    fn what_only_the_kernel_knows_of_is_named() {
        let metrics = "# TYPE crucible_worker_inventory gauge\n\
            crucible_worker_inventory{kind=\"sandboxes\",source=\"worker\"} 8\n\
            crucible_worker_inventory{kind=\"sandboxes\",source=\"kernel\"} 9\n\
            crucible_worker_inventory{kind=\"descriptors\",source=\"worker\"} 352\n\
            crucible_worker_inventory{kind=\"descriptors\",source=\"kernel\"} 92\n\
            crucible_worker_inventory{kind=\"cgroups\",source=\"worker\"} 32\n";
        let found = unaccounted(metrics).expect("there is an account");
        assert_eq!(found, ["9 sandboxes according to the kernel, 8 to the worker"]);
        assert_eq!(unaccounted("crucible_worker_up 1\n"), None);
    }
}
