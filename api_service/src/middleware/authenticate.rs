//! Who is asking, and whether they may: answered before a byte of the body is read.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use crate::domain::caller::Caller;
use crate::domain::scope::Access;
use crate::error::ApiError;
use crate::services;
use crate::services::authenticator::Authenticator;

const API_KEY: &str = "x-api-key";
/// Longest credential that is looked at; ours have some 400 characters.
const MAX_CREDENTIAL: usize = 4096;

/// What each route asks of its callers: method, path, access.
#[derive(Debug, Clone, Default)]
pub struct AccessTable(Vec<(Method, &'static str, Access)>);

impl AccessTable {
    /// From the rows of the route table.
    pub fn new(rows: impl IntoIterator<Item = (Method, &'static str, Access)>) -> Self {
        Self(rows.into_iter().collect())
    }

    /// A path that is not in the table still takes a credential: what exists is nobody's business
    /// but a caller's.
    fn access(&self, request: &ServiceRequest) -> Access {
        let pattern = request.match_pattern().unwrap_or_default();
        let asked = |method: &Method, path| method == request.method() && path == pattern;
        let row = self.0.iter().find(|(method, path, _)| asked(method, *path));
        row.map_or(Access::SignedIn, |(_, _, access)| *access)
    }
}

/// Lets through who may, and puts the caller where handlers find it.
///
/// # Errors
/// What is inside does not answer.
pub async fn authenticate(
    authenticator: web::Data<Authenticator>,
    table: web::Data<AccessTable>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let access = table.access(&request);
    match admit(&authenticator, request.headers(), access).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        Err(error) => {
            let response = actix_web::HttpResponse::from_error(error);
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

async fn admit(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    access: Access,
) -> Result<Caller, ApiError> {
    let credential = credential(headers).ok_or(ApiError::NoCredential)?;
    let caller = authenticator.recognise(credential).await?;
    match caller.missing_for(access) {
        Some(scope) => Err(ApiError::Service(services::Error::ScopeMissing(scope))),
        None => Ok(caller),
    }
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    let text = match headers.get(AUTHORIZATION) {
        Some(value) => {
            let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return None;
            }
            rest.trim()
        }
        None => headers.get(API_KEY)?.to_str().ok()?,
    };
    (!text.is_empty() && text.len() <= MAX_CREDENTIAL).then_some(text)
}
