//! What the worker holds, as the wire says it.

use proto::execution_v1 as wire;

use crate::worker::{Counts, Holding, Holdings};

/// All of it.
pub fn holdings(holdings: Holdings) -> wire::Holdings {
    let Holdings { held, running, queued, warm, sessions, compiled_bytes, counts } = holdings;
    let Counts { runs, cold_starts } = counts;
    wire::Holdings {
        held: held.into_iter().map(holding).collect(),
        running,
        queued,
        warm,
        sessions,
        compiled_bytes,
        runs: runs.into_iter().map(|(status, count)| (String::from(status), count)).collect(),
        cold_starts,
    }
}

fn holding(Holding { what, worker, kernel }: Holding) -> wire::Holding {
    wire::Holding { what: String::from(what), worker, kernel }
}
