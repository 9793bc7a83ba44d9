//! What anybody may ask.

use actix_web::http::StatusCode as S;

use super::{get, post};
use crate::domain::scope::Access::Public;
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, Tag, Takes};
use crate::http::rest::schemas::{form, schema};
use crate::http::rest::{auth, health, languages, openapi, websocket};

/// The routes that ask for nothing. A scope of their own, not exceptions from the other.
pub fn public() -> Vec<Endpoint> {
    use auth::json::{RefreshBody, TokenAnswer, TokenBody};
    use health::json::{HealthAnswer, ProbeAnswer};
    let tokens = Content::Json(schema::<TokenAnswer>);
    let refresh = Takes::FormOrJson { form: form::<RefreshBody>, json: schema::<RefreshBody> };
    let probe = Content::Json(schema::<ProbeAnswer>);
    let health = Content::Json(schema::<HealthAnswer>);
    let languages = Content::Json(schema::<languages::json::LanguagesAnswer>);
    vec![
        post("/v1/auth/token", Public, Tag::Credentials, "sign_in", "Sign in")
            .takes(Takes::FormOrJson { form: form::<TokenBody>, json: schema::<TokenBody> })
            .gives(S::OK, "A pair of tokens", tokens)
            .fails(&[C::BadCredentials, C::UserDisabled, C::TooManyAttempts, C::SignInBusy])
            .to(auth::token),
        post("/v1/auth/refresh", Public, Tag::Credentials, "refresh_sign_in", "Prolong a sign-in")
            .more("The refresh token is used up; one that was used before ends the sign-in.")
            .takes(refresh)
            .gives(S::OK, "A new pair of tokens", tokens)
            .fails(&[C::RefreshTokenInvalid])
            .to(auth::refresh),
        post("/v1/auth/logout", Public, Tag::Credentials, "sign_out", "Sign out")
            .more("No token that descends from this sign-in can be refreshed any more.")
            .takes(refresh)
            .gives(S::NO_CONTENT, "Signed out", Content::Nothing)
            .to(auth::logout),
        get("/v1/languages", Public, Tag::Public, "list_languages", "What really runs here")
            .more("Languages, versions, packages, limits.")
            .gives(S::OK, "What runs", languages)
            .fails(&[C::WorkerUnavailable])
            .to(languages::languages),
        get("/health", Public, Tag::Public, "get_health", "How the service is")
            .more("With the isolation in force.")
            .gives(S::OK, "Everything is up", health)
            .gives(S::SERVICE_UNAVAILABLE, "Something is down", health)
            .never_fails()
            .to(health::health),
        get("/v1/code_interpreter/ws", Public, Tag::Run, "open_websocket", "Many runs on one socket")
            .more(
                "A WebSocket, subprotocol `crucible.v1`, of JSON text frames: see \
                 docs/streaming.md. It needs a credential, in a header like any other request or in \
                 its first frame, `{\"op\": \"auth\", \"token\": \"…\"}`, within 5 seconds; what a \
                 frame may do is what the credential's scopes allow. `Origin`, if there is one, must \
                 be one of `CORS_ORIGINS`.",
            )
            .gives(S::SWITCHING_PROTOCOLS, "It is open", Content::Nothing)
            .fails(&[C::UpgradeNeeded, C::OriginRefused, C::SeveralCredentials])
            .fails(&[C::NotAuthenticated, C::CredentialInvalid, C::CredentialExpired])
            .to(websocket::open),
        get("/livez", Public, Tag::Public, "get_liveness", "Whether the process answers")
            .gives(S::OK, "It does", probe)
            .never_fails()
            .to(health::livez),
        get("/readyz", Public, Tag::Public, "get_readiness", "Whether requests can be fulfilled")
            .more("The schema is up to date, and the worker answered lately.")
            .gives(S::OK, "They can", probe)
            .gives(S::SERVICE_UNAVAILABLE, "They cannot", probe)
            .never_fails()
            .to(health::readyz),
        get("/openapi.json", Public, Tag::Public, "get_openapi", "This document")
            .gives(S::OK, "OpenAPI 3.1", Content::AnyJson)
            .never_fails()
            .to(openapi::openapi),
    ]
}
