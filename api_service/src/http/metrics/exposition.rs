//! A worker's figures in the text format of Prometheus. They are the worker's own counts and not ours, so
//! they go through a recorder that lives as long as one answer: ours would keep the last ones when there
//! is no worker any more. The recorder also escapes labels: what a worker sends forges no line.

use metrics::{Label, counter, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::domain::inventory::{Inventory, InventoryItem};

/// The text; without a worker it says only that.
pub fn write(inventory: Option<&Inventory>) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        gauge!("crucible_worker_up").set(f64::from(u8::from(inventory.is_some())));
        if let Some(inventory) = inventory {
            record(inventory);
        }
    });
    recorder.handle().render()
}

fn record(inventory: &Inventory) {
    let Inventory { items, running, queued, warm, sessions, compiled_bytes, runs, cold_starts } =
        inventory;
    for InventoryItem { kind, worker, kernel } in items {
        for (source, count) in [("worker", Some(*worker)), ("kernel", *kernel)] {
            if let Some(count) = count {
                let labels = vec![Label::new("kind", kind.clone()), Label::new("source", source)];
                gauge!("crucible_worker_inventory", labels).set(whole(count));
            }
        }
    }
    gauge!("crucible_worker_executions_running").set(whole(*running));
    gauge!("crucible_worker_executions_queued").set(whole(*queued));
    gauge!("crucible_worker_warm_sandboxes").set(whole(*warm));
    gauge!("crucible_worker_sessions").set(whole(*sessions));
    gauge!("crucible_worker_compile_cache_bytes").set(whole(*compiled_bytes));
    for (status, count) in runs {
        counter!("crucible_worker_executions_total", "status" => status.clone()).absolute(*count);
    }
    counter!("crucible_worker_cold_starts_total").absolute(*cold_starts);
}

/// Exact up to 2^53; Prometheus itself has nothing else.
fn whole(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn inventory(items: Vec<InventoryItem>, runs: BTreeMap<String, u64>) -> Inventory {
        Inventory {
            items,
            running: 1,
            queued: 0,
            warm: 8,
            sessions: 0,
            compiled_bytes: 0,
            runs,
            cold_starts: 2,
        }
    }

    #[test]
    fn each_kind_is_told_by_both_sides_where_both_know() {
        let items = vec![
            InventoryItem { kind: "sandboxes".to_owned(), worker: 8, kernel: Some(9) },
            InventoryItem { kind: "cgroups".to_owned(), worker: 0, kernel: None },
        ];
        let runs = [("failed".to_owned(), 3)].into();
        let text = write(Some(&inventory(items, runs)));
        for line in [
            "crucible_worker_up 1",
            "# TYPE crucible_worker_inventory gauge",
            "crucible_worker_inventory{kind=\"sandboxes\",source=\"worker\"} 8",
            "crucible_worker_inventory{kind=\"sandboxes\",source=\"kernel\"} 9",
            "crucible_worker_executions_total{status=\"failed\"} 3",
            "crucible_worker_cold_starts_total 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
        assert!(!text.contains("{kind=\"cgroups\",source=\"kernel\"}"), "{text}");
        assert_eq!(write(None).trim_end(), "# TYPE crucible_worker_up gauge\ncrucible_worker_up 0");
    }

    #[test]
    fn what_a_worker_calls_things_cannot_forge_a_line() {
        let forged = "x\"} 1\ncrucible_fake 2\\".to_owned();
        let items = vec![InventoryItem { kind: forged.clone(), worker: 8, kernel: Some(9) }];
        let runs = [(forged, 3)].into();
        let text = write(Some(&inventory(items, runs)));
        assert!(!text.lines().any(|line| line.starts_with("crucible_fake")), "{text}");
        assert!(text.contains(r#"x\"} 1\ncrucible_fake 2\\""#), "{text}");
    }
}
