//! Where in a session something runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::session::{Context, Session};

/// Where in a session something runs.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) session: Arc<Session>,
    pub(super) context: Arc<Context>,
}

impl Place {
    /// Variables of a run that has `own` ones beside those of its session and context.
    pub(super) fn environment(
        &self,
        mut own: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut all = self.session.network_variables();
        all.extend(self.session.env.clone());
        all.extend(self.context.env.clone());
        all.append(&mut own);
        all
    }
}
