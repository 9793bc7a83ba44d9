//! The networks of the fake worker: its operator allows all but one host, and nothing is connected to.

use proto::execution_v1 as wire;
use proto::execution_v1::network_server::Network;
use proto::wire::reason;
use tonic::{Code, Request, Response, Status};

use super::fake_worker::FakeWorker;
use super::script::failed;

/// What the operator does not allow.
const FORBIDDEN: &str = "forbidden.test";

/// Whether a session or run may have `policy`.
pub fn admit(policy: Option<&wire::NetworkPolicy>) -> Result<(), Status> {
    let allow = policy.map_or(&[][..], |policy| &policy.allow);
    match allow.iter().position(|host| host == FORBIDDEN) {
        None => Ok(()),
        Some(index) => {
            let text = format!("network.allow[{index}]: {FORBIDDEN} is more than is allowed");
            Err(failed(Code::PermissionDenied, reason::NETWORK_REFUSED, &text))
        }
    }
}

#[tonic::async_trait]
impl Network for FakeWorker {
    async fn change_network(
        &self,
        request: Request<wire::ChangeNetworkRequest>,
    ) -> Result<Response<wire::NetworkPolicy>, Status> {
        self.admit(&request)?;
        let wire::ChangeNetworkRequest { session_id, owner, policy } = request.into_inner();
        admit(policy.as_ref())?;
        let policy = policy.unwrap_or_default();
        if policy.deny.iter().any(|host| host == "broken.test") {
            return Err(failed(Code::Unavailable, reason::NETWORK_UNAVAILABLE, "no broker"));
        }
        self.change((&session_id, &owner), |session| {
            session.network = Some(policy.clone());
            Ok(())
        })?;
        Ok(Response::new(policy))
    }

    async fn read_network_log(
        &self,
        request: Request<wire::ReadNetworkLogRequest>,
    ) -> Result<Response<wire::NetworkLog>, Status> {
        self.admit(&request)?;
        let wire::ReadNetworkLogRequest { session_id, owner } = request.into_inner();
        self.session(&session_id, &owner)?;
        let allowed = wire::NetworkConnection {
            at_ms: 1_700_000_000_000,
            host: String::from("example.com"),
            port: 443,
            sent: 7,
            received: 8,
            verdict: String::from("allowed"),
            reason: String::new(),
        };
        let refused = wire::NetworkConnection {
            host: String::from("other.test"),
            sent: 0,
            received: 0,
            verdict: String::from("refused"),
            reason: String::from("not_allowed"),
            ..allowed.clone()
        };
        Ok(Response::new(wire::NetworkLog { connections: vec![allowed, refused], forgotten: 3 }))
    }
}
