//! `/v1/api_keys`.

pub mod json;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};

use crate::domain::ids::ApiKeyId;
use crate::http::extract::{CurrentCaller, Json, OptionalKey, QueryParams};
use crate::http::failure::Failure;
use crate::http::rest::api_keys::json::{ApiKeyAnswer, ApiKeyBody, NewApiKeyAnswer};
use crate::http::rest::fields::page::{PageAnswer, PageQuery};
use crate::http::rest::idempotent::{idempotent, reservation};
use crate::http::rest::response_body;
use crate::services::Error;
use crate::services::api_keys::ApiKeys;
use crate::state::AppState;

/// Make an API key. Its secret is in this answer and nowhere else. Needs the scope `keys`.
pub(in crate::http::rest) async fn create(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    OptionalKey(key): OptionalKey,
    body: Json<ApiKeyBody>,
) -> Result<HttpResponse, Failure> {
    let new = body.value.parse().map_err(Failure::Invalid)?;
    ApiKeys::may_give(&caller, &new)?;
    let reservation = reservation(key, &caller, "api_keys", &[&body.bytes]);
    let (api_keys, idempotency) = (state.api_keys.clone(), state.idempotency.clone());
    // To the end, even when the caller goes away: a half-made key would be nobody's.
    let making = async move {
        let work = async {
            let (key, secret) = api_keys.create(&caller, new).await?;
            let answer = || Ok(NewApiKeyAnswer { key: secret, about: ApiKeyAnswer::of(key) });
            response_body::json(response_body::SHORT, answer).await
        };
        idempotent(&idempotency, reservation, StatusCode::CREATED, work).await
    };
    let answer = state.background.finish(making).await;
    Ok(HttpResponse::from(answer.ok_or(Error::Fault("a key's maker ended"))??))
}

/// Your API keys, without their secrets. Needs the scope `keys`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<web::Json<PageAnswer<ApiKeyAnswer>>, Failure> {
    let page = query.parse(ApiKeyId::parse).map_err(Failure::Invalid)?;
    let keys = state.api_keys.list(&caller.user, &page).await?;
    Ok(web::Json(PageAnswer::of(keys, ApiKeyAnswer::of)))
}

/// Delete an API key; it is refused from the next request on. Needs the scope `keys`.
pub(in crate::http::rest) async fn delete(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = ApiKeyId::parse(&id).ok_or(Error::ApiKeyNotFound)?;
    state.api_keys.delete(&caller.user, &id).await?;
    Ok(HttpResponse::NoContent().finish())
}
