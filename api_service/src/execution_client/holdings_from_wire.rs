//! What a worker says that it holds.

use proto::execution_v1 as wire;

use crate::domain::holdings::{Holding, Holdings};

pub(super) fn holdings(holdings: wire::Holdings) -> Holdings {
    let wire::Holdings { held, running, queued, warm, sessions, compiled_bytes, runs, cold_starts } =
        holdings;
    Holdings {
        held: held.into_iter().map(holding).collect(),
        running,
        queued,
        warm,
        sessions,
        compiled_bytes,
        runs: runs.into_iter().collect(),
        cold_starts,
    }
}

fn holding(wire::Holding { what, worker, kernel }: wire::Holding) -> Holding {
    Holding { what, worker, kernel }
}
