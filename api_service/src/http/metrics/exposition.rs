//! A worker's figures in the text format of Prometheus. They are the worker's own counts and not ours, so
//! they do not go through our recorder: it would keep the last ones when there is no worker any more.

use std::fmt::Write;

use crate::domain::inventory::{Inventory, InventoryItem};

/// The text; without a worker it says only that.
pub fn write(inventory: Option<&Inventory>) -> String {
    let mut text = Text::default();
    let up = u64::from(inventory.is_some());
    text.family("crucible_worker_up", "gauge", &[(String::new(), up)]);
    let Some(inventory) = inventory else {
        return text.0;
    };
    let Inventory { items, running, queued, warm, sessions, compiled_bytes, runs, cold_starts } =
        inventory;
    let held: Vec<_> = items.iter().flat_map(both_sides).collect();
    text.family("crucible_worker_held", "gauge", &held);
    for (name, value) in [
        ("crucible_worker_running", running),
        ("crucible_worker_queued", queued),
        ("crucible_worker_warm_sandboxes", warm),
        ("crucible_worker_sessions", sessions),
        ("crucible_worker_compiled_bytes", compiled_bytes),
    ] {
        text.family(name, "gauge", &[(String::new(), *value)]);
    }
    let runs: Vec<_> =
        runs.iter().map(|(status, count)| (format!("{{status=\"{status}\"}}"), *count)).collect();
    text.family("crucible_worker_runs_total", "counter", &runs);
    text.family("crucible_worker_cold_starts_total", "counter", &[(String::new(), *cold_starts)]);
    text.0
}

fn both_sides(InventoryItem { kind, worker, kernel }: &InventoryItem) -> Vec<(String, u64)> {
    let labels = |side: &str| format!("{{what=\"{kind}\",according_to=\"{side}\"}}");
    let known = [Some((labels("worker"), *worker)), kernel.map(|count| (labels("kernel"), count))];
    known.into_iter().flatten().collect()
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, samples: &[(String, u64)]) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_both_sides_where_both_know() {
        let items = vec![
            InventoryItem { kind: "sandboxes".to_owned(), worker: 8, kernel: Some(9) },
            InventoryItem { kind: "cgroups".to_owned(), worker: 0, kernel: None },
        ];
        let runs = [("failed".to_owned(), 3)].into();
        let inventory = Inventory {
            items,
            running: 1,
            queued: 0,
            warm: 8,
            sessions: 0,
            compiled_bytes: 0,
            runs,
            cold_starts: 2,
        };
        let text = write(Some(&inventory));
        for line in [
            "crucible_worker_up 1",
            "# TYPE crucible_worker_held gauge",
            "crucible_worker_held{what=\"sandboxes\",according_to=\"worker\"} 8",
            "crucible_worker_held{what=\"sandboxes\",according_to=\"kernel\"} 9",
            "crucible_worker_runs_total{status=\"failed\"} 3",
            "crucible_worker_cold_starts_total 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
        assert!(!text.contains("{what=\"cgroups\",according_to=\"kernel\"}"), "{text}");
        assert_eq!(write(None), "# TYPE crucible_worker_up gauge\ncrucible_worker_up 0\n");
    }
}
