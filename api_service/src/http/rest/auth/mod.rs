//! `/v1/auth/…`.

pub mod json;

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};

use crate::http::extract::FormOrJson;
use crate::http::failure::Failure;
use crate::http::rest::auth::json::{RefreshBody, TokenAnswer, TokenBody};
use crate::services::sign_in::TokenPair;
use crate::state::AppState;

/// Sign in.
pub(in crate::http::rest) async fn token(
    state: Data<AppState>,
    request: HttpRequest,
    FormOrJson(body): FormOrJson<TokenBody>,
) -> Result<web::Json<TokenAnswer>, Failure> {
    let (username, password) = body.parse().map_err(Failure::Invalid)?;
    let peer = request.peer_addr().map(|address| address.ip());
    let pair = state.sign_in.with_password(&username, &password, peer).await?;
    Ok(web::Json(answer(pair)))
}

/// Prolong a sign-in. The refresh token is used up; one that was used before ends the sign-in.
pub(in crate::http::rest) async fn refresh(
    state: Data<AppState>,
    FormOrJson(body): FormOrJson<RefreshBody>,
) -> Result<web::Json<TokenAnswer>, Failure> {
    let refresh_token = body.parse().map_err(Failure::Invalid)?;
    let pair = state.sign_in.refresh(&refresh_token).await?;
    Ok(web::Json(answer(pair)))
}

/// Sign out: no token that descends from this sign-in can be refreshed any more.
pub(in crate::http::rest) async fn logout(
    state: Data<AppState>,
    FormOrJson(body): FormOrJson<RefreshBody>,
) -> Result<HttpResponse, Failure> {
    let refresh_token = body.parse().map_err(Failure::Invalid)?;
    state.sign_in.sign_out(&refresh_token).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn answer(pair: TokenPair) -> TokenAnswer {
    let TokenPair { access_token, expires_in, refresh_token } = pair;
    TokenAnswer::of(access_token, expires_in, refresh_token)
}
