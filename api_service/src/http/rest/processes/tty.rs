//! `GET …/processes/{pid}/tty`: the terminal of a process, over a WebSocket.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{AggregatedMessageStream, Session};
use serde::Deserialize;
use utoipa::IntoParams;

use super::named;
use crate::domain::caller::Caller;
use crate::domain::field_error::FieldError;
use crate::domain::scope::{Access, Scope};
use crate::http::extract::{CheckedOrigin, QueryParams, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::executions::telling::problem;
use crate::http::stream::{tty, websocket_auth};
use crate::services::Error;
use crate::services::authenticator::Authenticator;
use crate::services::processes::OpenTerminal;
use crate::state::AppState;

/// What whoever opens it needs: to type is to run code.
const ACCESS: Access = Access::Needs(Scope::Run);

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TtyQuery {
    /// The first byte of the output that you want; 0 when left out.
    #[param(value_type = Option<u64>, minimum = 0)]
    pub since: Option<String>,
}

impl TtyQuery {
    fn parse(self) -> Result<u64, Failure> {
        let since = self.since.map(|text| text.parse()).transpose();
        let wrong = || FieldError::new("since", "must be a whole number");
        since.map(Option::unwrap_or_default).map_err(|_| Failure::Invalid(vec![wrong()]))
    }
}

/// Who asks for which terminal.
struct Asked {
    state: Data<AppState>,
    path: (String, String),
    since: u64,
    request_id: String,
}

/// Attach to the terminal of a process. Needs the scope `run`.
pub(in crate::http::rest) async fn open(
    state: Data<AppState>,
    authenticator: Data<Authenticator>,
    _origin: CheckedOrigin,
    RequestId(request_id): RequestId,
    (path, QueryParams(query)): (Path<(String, String)>, QueryParams<TtyQuery>),
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    let asked = Asked { state, path: path.into_inner(), since: query.parse()?, request_id };
    let known = websocket_auth::header(&request, &authenticator).await?;
    // Before anybody is attached: who does not upgrade takes nothing over.
    let Ok(opened) = actix_ws::handle_with_protocols(&request, payload, &[tty::PROTOCOL]) else {
        return Err(Failure::UpgradeNeeded);
    };
    let (response, socket, frames) = opened;
    // What can be refused by now is a plain answer.
    let known = match known {
        Some((who, shown)) => Some((asked.attach(&who).await?, shown)),
        None => None,
    };
    let frames = frames.max_frame_size(tty::MAX_FRAME).aggregate_continuations();
    let frames = frames.max_continuation_size(tty::MAX_FRAME);
    actix_web::rt::spawn(async move {
        match known {
            Some((terminal, shown)) => {
                tty::serve(terminal, socket, frames, async || {
                    is_good(&authenticator, &shown).await
                })
                .await;
            }
            None => asked.serve_stranger(&authenticator, socket, frames).await,
        }
    });
    Ok(response)
}

impl Asked {
    async fn attach(&self, who: &Caller) -> Result<OpenTerminal, Failure> {
        if let Some(scope) = who.missing_for(ACCESS) {
            return Err(Failure::Service(Error::ScopeMissing(scope)));
        }
        let (caller, id) = named(who, &self.path, self.request_id.clone())?;
        Ok(self.state.processes.attach(&caller, id, self.since).await?)
    }

    /// Serves somebody who says in the first frame who it is.
    async fn serve_stranger(
        self,
        authenticator: &Authenticator,
        socket: Session,
        mut frames: AggregatedMessageStream,
    ) {
        let attached = async {
            let (who, shown) = websocket_auth::first_frame(&mut frames, authenticator).await?;
            Ok((self.attach(&who).await?, shown))
        };
        match attached.await {
            Ok((terminal, shown)) => {
                tty::serve(terminal, socket, frames, async || is_good(authenticator, &shown).await)
                    .await;
            }
            Err::<_, Failure>(failure) => {
                let text = problem(&failure, &self.request_id);
                tty::refuse(socket, &failure, String::from_utf8_lossy(&text).into_owned()).await;
            }
        }
    }
}

/// Whether a credential is still good, as far as is known: our own faults are nobody's end.
async fn is_good(authenticator: &Authenticator, shown: &str) -> bool {
    match authenticator.recognise(shown).await {
        Ok(who) => who.missing_for(ACCESS).is_none(),
        Err(error) => error.is_ours(),
    }
}
