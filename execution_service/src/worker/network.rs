//! The ways out of sandboxes: who may have which.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Worker, WorkerError};
use crate::broker::{Broker, Log, NoWayOut, WayOut};
use crate::execution::kernel::KernelError;
use crate::execution::run::Completed;
use crate::network::{Operator, PROXY_PORT, Policy, Verdict};
use crate::sandbox::backend::{Sandbox, SandboxError};
use crate::session::Session;

/// What sandboxes may reach, and who connects for them.
pub struct Network {
    /// Beyond which no policy goes.
    pub operator: Operator,
    /// Absent where the operator allows nothing.
    pub broker: Option<Broker>,
}

impl Network {
    /// Whether a session or run may have `policy`.
    ///
    /// # Errors
    /// [`WorkerError::Network`].
    pub fn check(&self, policy: &Policy) -> Result<(), WorkerError> {
        self.operator.covers(policy).map_err(|index| {
            let asked = policy.allow.get(index).map(ToString::to_string).unwrap_or_default();
            WorkerError::Network { index, asked }
        })
    }

    /// Gives a sandbox the way out that `policy` describes; none, if that is none at all.
    ///
    /// # Errors
    /// [`WorkerError::Network`] and [`WorkerError::NoWayOut`].
    pub async fn open(
        &self,
        sandbox: &dyn Sandbox,
        policy: Policy,
    ) -> Result<Option<WayOut>, WorkerError> {
        self.check(&policy)?;
        if policy.is_nothing() {
            return Ok(None);
        }
        // Without one the operator allows nothing.
        let Some(broker) = &self.broker else {
            return Ok(None);
        };
        // Before the sandbox, which can listen once.
        broker.ready().await?;
        let listening = sandbox.listen(PROXY_PORT).await.map_err(|error| match error {
            // Its programs may have taken every port.
            SandboxError::Listen(error) => WorkerError::from(NoWayOut::Socket(error)),
            other => WorkerError::from(KernelError::from(other)),
        })?;
        Ok(Some(broker.open(listening, policy)?))
    }
}

impl Worker {
    /// Puts another policy in force in a session.
    ///
    /// # Errors
    /// No such session, a policy that goes too far, or nobody who connects.
    pub async fn change_network(
        &self,
        session: (&str, &str),
        policy: Policy,
    ) -> Result<Arc<Session>, WorkerError> {
        self.network.check(&policy)?;
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        let opening = session.network.get_or_try_init(async || {
            match self.network.open(session.sandbox.as_ref(), policy.clone()).await {
                Ok(Some(way_out)) => Ok(way_out),
                // Nothing to be opened: nothing it stays.
                Ok(None) => Err(None),
                Err(error) => Err(Some(error)),
            }
        });
        match opening.await {
            Ok(way_out) => way_out.change(policy)?,
            Err(None) => {}
            Err(Some(error)) => return Err(error),
        }
        if session.ended.is_cancelled() {
            // Its end may have come before there was anything to be closed.
            session.network.get().inspect(|way_out| way_out.close());
        }
        Ok(session)
    }

    /// What programs of a session have connected to, or tried to.
    ///
    /// # Errors
    /// No such session.
    pub fn network_log(&self, session: (&str, &str)) -> Result<Log, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        Ok(session.network.get().map(WayOut::log).unwrap_or_default())
    }
}

impl From<NoWayOut> for WorkerError {
    fn from(error: NoWayOut) -> Self {
        Self::NoWayOut(error)
    }
}

/// The time of records.
pub(super) fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Adds to what is said of a program that has failed what it was refused since `since_ms` (Unix time): often it has
/// failed because of that.
pub(super) fn add_hint(completed: &mut Completed, way_out: &WayOut, since_ms: u64) {
    /// Hosts that are named; others were refused as well.
    const NAMED: usize = 3;
    let Some(diagnostic) = &mut completed.verdict.diagnostic else {
        return;
    };
    let log = way_out.log();
    let mut refused = Vec::new();
    for record in log.records.iter().filter(|record| record.at_ms >= since_ms) {
        if let Verdict::Refused(rule) = &record.verdict {
            let text = format!("{}:{} ({rule})", record.host, record.port);
            if !refused.contains(&text) {
                refused.push(text);
            }
        }
    }
    if refused.is_empty() {
        return;
    }
    refused.truncate(NAMED);
    let hint = format!(
        "The network policy refused connections to {}: ask for what is needed in \"network\".",
        refused.join(", ")
    );
    let hints = [Some(hint), diagnostic.hint.take()];
    diagnostic.hint = Some(hints.into_iter().flatten().collect::<Vec<_>>().join(" "));
}
