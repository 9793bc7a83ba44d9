//! `/v1/users`.

pub mod json;

use actix_web::HttpResponse;
use actix_web::web::{self, Data};

use crate::http::extract::{CurrentCaller, Json};
use crate::http::failure::Failure;
use crate::http::rest::users::json::{MeAnswer, UserAnswer, UserBody};
use crate::state::AppState;

/// Make a user. Needs the scope `admin`.
pub(in crate::http::rest) async fn create(
    state: Data<AppState>,
    body: Json<UserBody>,
) -> Result<HttpResponse, Failure> {
    let (username, password, is_admin) = body.value.parse().map_err(Failure::Invalid)?;
    let user = state.users.create(username, &password, is_admin).await?;
    Ok(HttpResponse::Created().json(UserAnswer::of(user)))
}

/// The caller.
pub(in crate::http::rest) async fn me(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
) -> Result<web::Json<MeAnswer>, Failure> {
    let user = state.users.get(&caller.user).await?;
    Ok(web::Json(MeAnswer::of(user, &caller.scopes)))
}
