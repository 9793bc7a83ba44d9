//! `GET /v1/code_interpreter/ws`: many executions on one WebSocket, subprotocol `crucible.v1`.
//!
//! ```text
//! frames      what a client may say                 socket     one connection, from its credential to its end
//! executions  what is done for it, one task each    outgoing   what it is told, as fast as it reads
//! ```

mod executions;
mod frames;
mod outgoing;
mod socket;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use self::executions::Service;
use self::outgoing::Outgoing;
use self::socket::Socket;
use crate::http::extract::{AnswerBudget, BodyBudget, CheckedOrigin, RequestId};
use crate::http::failure::Failure;
use crate::http::stream::websocket_auth;
use crate::services::Error;
use crate::services::authenticator::Authenticator;
use crate::state::AppState;

/// The subprotocol.
const PROTOCOL: &str = "crucible.v1";

/// Opens a WebSocket. It needs a credential in a header, or in its first frame within 5 seconds.
pub(in crate::http::rest) async fn open(
    state: Data<AppState>,
    authenticator: Data<Authenticator>,
    _origin: CheckedOrigin,
    RequestId(request_id): RequestId,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, Failure> {
    let known = websocket_auth::header(&request, &authenticator).await?;
    let Ok(opened) = actix_ws::handle_with_protocols(&request, body, &[PROTOCOL]) else {
        return Err(Failure::UpgradeNeeded);
    };
    let (response, session, incoming) = opened;
    let budgets = (request.app_data::<BodyBudget>(), request.app_data::<AnswerBudget>());
    let (Some(bodies), Some(answers)) = budgets else {
        return Err(Failure::from(Error::Fault("an application without budgets")));
    };
    let service = Service {
        state: state.get_ref().clone(),
        authenticator: authenticator.get_ref().clone(),
        bodies: bodies.clone(),
        answers: answers.clone(),
        request_id,
    };
    let socket = Socket::new(service, Outgoing::new(session));
    actix_web::rt::spawn(socket.serve(incoming, known));
    Ok(response)
}
