//! `/v1/users`.

pub mod json;

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::ids::UserId;
use crate::http::extract::{CurrentCaller, Json, QueryParams, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::fields::page::{PageAnswer, PageQuery};
use crate::http::rest::users::json::{
    MeAnswer, OwnPasswordBody, PasswordBody, UserAnswer, UserBody,
};
use crate::services::Error;
use crate::state::AppState;

/// Make a user. Needs the scope `admin`.
pub(in crate::http::rest) async fn create(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    body: Json<UserBody>,
) -> Result<HttpResponse, Failure> {
    let (username, password, is_admin) = body.value.parse().map_err(Failure::Invalid)?;
    state.users.must_exist(&caller.user).await?;
    let user = state.users.create(username, &password, is_admin).await?;
    Ok(HttpResponse::Created().json(UserAnswer::of(user)))
}

/// The caller.
pub(in crate::http::rest) async fn me(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
) -> Result<web::Json<MeAnswer>, Failure> {
    let user = state.users.caller(&caller.user).await?;
    Ok(web::Json(MeAnswer::of(user, &caller.scopes)))
}

/// All users, newest first. Needs the scope `admin`.
pub(in crate::http::rest) async fn list(
    state: Data<AppState>,
    QueryParams(query): QueryParams<PageQuery>,
) -> Result<web::Json<PageAnswer<UserAnswer>>, Failure> {
    let page = query.parse(UserId::parse).map_err(Failure::Invalid)?;
    let users = state.users.list(&page).await?;
    Ok(web::Json(PageAnswer::of(users, UserAnswer::of)))
}

/// A user. Needs the scope `admin`.
pub(in crate::http::rest) async fn get(
    state: Data<AppState>,
    id: Path<String>,
) -> Result<web::Json<UserAnswer>, Failure> {
    let user = state.users.get(&parsed(&id)?).await?;
    Ok(web::Json(UserAnswer::of(user)))
}

/// Disable a user: no token, API key or password of the user is good any more, and sessions and runs
/// of the user end. Needs the scope `admin`.
pub(in crate::http::rest) async fn disable(
    state: Data<AppState>,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<web::Json<UserAnswer>, Failure> {
    let user = state.user_changes.disable(&parsed(&id)?, &request_id).await?;
    Ok(web::Json(UserAnswer::of(user)))
}

/// Enable a user again. API keys of the user are good again; who had signed in has to sign in again.
/// Needs the scope `admin`.
pub(in crate::http::rest) async fn enable(
    state: Data<AppState>,
    id: Path<String>,
) -> Result<web::Json<UserAnswer>, Failure> {
    let user = state.user_changes.enable(&parsed(&id)?).await?;
    Ok(web::Json(UserAnswer::of(user)))
}

/// Delete a user, with API keys, sessions and executions. Needs the scope `admin`.
pub(in crate::http::rest) async fn delete(
    state: Data<AppState>,
    RequestId(request_id): RequestId,
    id: Path<String>,
) -> Result<HttpResponse, Failure> {
    state.user_changes.delete(&parsed(&id)?, &request_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change your password. Every sign-in of yours is over then: sign in again. API keys stay good.
pub(in crate::http::rest) async fn change_password(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    request: HttpRequest,
    body: Json<OwnPasswordBody>,
) -> Result<HttpResponse, Failure> {
    let user = state.users.caller(&caller.user).await?;
    let (present, new) = body.value.parse(&user.username).map_err(Failure::Invalid)?;
    let peer = request.peer_addr().map(|address| address.ip());
    state.user_changes.change_password(&user, &present, &new, peer).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give another user a new password. Every sign-in of that user is over then. Needs the scope `admin`.
pub(in crate::http::rest) async fn reset_password(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    id: Path<String>,
    body: Json<PasswordBody>,
) -> Result<HttpResponse, Failure> {
    let user = state.users.get(&parsed(&id)?).await?;
    let new = body.value.parse(&user.username).map_err(Failure::Invalid)?;
    state.user_changes.reset_password(&caller.user, &user, &new).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn parsed(id: &str) -> Result<UserId, Error> {
    UserId::parse(id).ok_or(Error::UserNotFound)
}
