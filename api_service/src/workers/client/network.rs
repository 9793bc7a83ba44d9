//! What sandboxes may reach: calls, and what goes over the wire.

use proto::execution_v1 as wire;

use super::{Call, Error, WorkerClient};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::network::{Connection, ConnectionVerdict, NetworkLog, NetworkPolicy};
use crate::domain::timestamp::Timestamp;

impl WorkerClient {
    /// Puts another policy in force in a session; gives it as the worker understands it.
    ///
    /// # Errors
    /// [`Error::NetworkRefused`], [`Error::InvalidArgument`], [`Error::SessionNotFound`], [`Error::SessionExpired`] or
    /// [`Error::SessionLost`].
    pub async fn change_network(
        &self,
        call: &Call,
        (session, owner): (&SessionId, &UserId),
        policy: &NetworkPolicy,
    ) -> Result<NetworkPolicy, Error> {
        let message = wire::ChangeNetworkRequest {
            session_id: session.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            policy: Some(to_wire(policy)),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.network().change_network(request).await);
        answer.await.map(from_wire)
    }

    /// What the programs of a session have connected to.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], [`Error::SessionExpired`] or [`Error::SessionLost`].
    pub async fn network_log(
        &self,
        call: &Call,
        (session, owner): (&SessionId, &UserId),
    ) -> Result<NetworkLog, Error> {
        let message = wire::ReadNetworkLogRequest {
            session_id: session.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self.call(call, message, async |rpc, request| {
            rpc.network().read_network_log(request).await
        });
        let wire::NetworkLog { connections, forgotten } = answer.await?;
        let connections = connections.into_iter().map(connection).collect::<Result<_, _>>()?;
        Ok(NetworkLog { connections, forgotten })
    }
}

pub(super) fn to_wire(policy: &NetworkPolicy) -> wire::NetworkPolicy {
    let NetworkPolicy { allowed, allow, deny, methods, max_bytes, max_connections } = policy;
    let methods = methods
        .iter()
        .map(|(host, methods)| wire::HostMethods { host: host.clone(), methods: methods.clone() });
    wire::NetworkPolicy {
        allowed: *allowed,
        allow: allow.clone(),
        deny: deny.clone(),
        methods: methods.collect(),
        max_bytes: *max_bytes,
        max_connections: *max_connections,
    }
}

pub(super) fn from_wire(policy: wire::NetworkPolicy) -> NetworkPolicy {
    let wire::NetworkPolicy { allowed, allow, deny, methods, max_bytes, max_connections } = policy;
    let methods =
        methods.into_iter().map(|wire::HostMethods { host, methods }| (host, methods)).collect();
    NetworkPolicy { allowed, allow, deny, methods, max_bytes, max_connections }
}

fn connection(connection: wire::NetworkConnection) -> Result<Connection, Error> {
    let wire::NetworkConnection { at_ms, host, port, sent, received, verdict, reason } = connection;
    Ok(Connection {
        at: Timestamp::from_millis(at_ms),
        host,
        port,
        sent,
        received,
        verdict: ConnectionVerdict::parse(&verdict)
            .ok_or(Error::Malformed("what became of a connection"))?,
        reason: Some(reason).filter(|reason| !reason.is_empty()),
    })
}
