//! `/v1/users`.

pub mod json;

use actix_web::HttpResponse;
use actix_web::web::{self, Data};

use crate::http::extract::{CurrentCaller, Json};
use crate::http::failure::Failure;
use crate::http::failure::problem::Problem;
use crate::http::rest::users::json::{MeAnswer, UserAnswer, UserBody};
use crate::state::AppState;

/// Make a user. Needs the scope `admin`.
#[utoipa::path(
    post, path = "/v1/users", tag = "credentials", request_body = UserBody,
    responses(
        (status = 201, body = UserAnswer),
        (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)
    ),
    security(("bearer" = []), ("api_key" = []))
)]
pub(in crate::http::rest) async fn create(
    state: Data<AppState>,
    body: Json<UserBody>,
) -> Result<HttpResponse, Failure> {
    let (username, password, is_admin) = body.value.parse().map_err(Failure::Invalid)?;
    let user = state.users.create(username, &password, is_admin).await?;
    Ok(HttpResponse::Created().json(UserAnswer::of(user)))
}

/// The caller.
#[utoipa::path(
    get, path = "/v1/users/me", tag = "credentials",
    responses((status = 200, body = MeAnswer), (status = 401, body = Problem)),
    security(("bearer" = []), ("api_key" = []))
)]
pub(in crate::http::rest) async fn me(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
) -> Result<web::Json<MeAnswer>, Failure> {
    let user = state.users.get(&caller.user).await?;
    Ok(web::Json(MeAnswer::of(user, &caller.scopes)))
}
