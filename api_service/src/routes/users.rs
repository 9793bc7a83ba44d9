//! `/v1/users`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};

use crate::contract::problem::Problem;
use crate::contract::users::{MeAnswer, UserAnswer, UserBody};
use crate::error::ApiError;
use crate::extract::{CurrentCaller, Json};
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
pub(super) async fn create(
    state: Data<AppState>,
    body: Json<UserBody>,
) -> Result<HttpResponse, ApiError> {
    let (username, password, is_admin) = body.value.parse().map_err(ApiError::Invalid)?;
    let user = state.users.create(username, &password, is_admin).await?;
    Ok(HttpResponse::Created().json(UserAnswer::of(user)))
}

/// The caller.
#[utoipa::path(
    get, path = "/v1/users/me", tag = "credentials",
    responses((status = 200, body = MeAnswer), (status = 401, body = Problem)),
    security(("bearer" = []), ("api_key" = []))
)]
pub(super) async fn me(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
) -> Result<web::Json<MeAnswer>, ApiError> {
    let user = state.users.get(&caller.user).await?;
    Ok(web::Json(MeAnswer::of(user, &caller.scopes)))
}
