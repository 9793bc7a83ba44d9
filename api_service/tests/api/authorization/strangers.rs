//! Callers whom no route knows.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::{App, SECRET_KEY, eventually};

/// Somebody whose credential is worth nothing, and what he is told.
pub struct Stranger {
    pub who: &'static str,
    pub credential: String,
    pub code: &'static str,
}

pub async fn strangers(app: &App, owner: &str) -> Vec<Stranger> {
    let revoked = app.post("/v1/api_keys", owner, json!({"name": "revoked"})).await.json();
    app.delete(&format!("/v1/api_keys/{}", revoked["id"].as_str().unwrap()), owner).await;
    let soon = OffsetDateTime::now_utc() + Duration::from_millis(300);
    let soon = json!({"name": "short-lived", "expires_at": soon.format(&Rfc3339).unwrap()});
    let expiring = app.post("/v1/api_keys", owner, soon).await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    eventually(async || {
        let answer = app.get("/v1/users/me", &text(&expiring["key"])).await;
        (answer.status == 401).then_some(())
    })
    .await;
    let refresh = text(&app.sign_in("owner").await["refresh_token"]);
    let hs256 = Header::default();
    let signed = |header: &Header, changed: Value, key: &str| {
        let mut claims = json!({
            "iss": "crucible", "aud": "crucible-api", "sub": "usr_1", "jti": "1", "iat": 0,
            "exp": 4_000_000_000_i64, "admin": true,
        });
        claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        encode(header, &claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
    };
    let other_key = "another-key-0123456789-abcdefghijkl";
    let unsigned = |header: &str| {
        let good = signed(&hs256, json!({}), SECRET_KEY);
        let claims = good.split('.').nth(1).unwrap();
        format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header))
    };
    [
        ("anonymous", String::new(), "not_authenticated"),
        ("unknown key", "e2b_0123".to_owned(), "credential_invalid"),
        ("revoked key", text(&revoked["key"]), "credential_invalid"),
        ("expired key", text(&expiring["key"]), "credential_expired"),
        ("refresh token", refresh, "credential_invalid"),
        (
            "expired",
            signed(&hs256, json!({"exp": 1_000_000_000}), SECRET_KEY),
            "credential_expired",
        ),
        ("signed by another", signed(&hs256, json!({}), other_key), "credential_invalid"),
        ("for another", signed(&hs256, json!({"aud": "x"}), SECRET_KEY), "credential_invalid"),
        ("from another", signed(&hs256, json!({"iss": "x"}), SECRET_KEY), "credential_invalid"),
        ("of nobody", signed(&hs256, json!({"sub": "x"}), SECRET_KEY), "credential_invalid"),
        (
            "not valid yet",
            signed(&hs256, json!({"nbf": 3_999_999_999_i64}), SECRET_KEY),
            "credential_invalid",
        ),
        (
            "another algorithm",
            signed(&Header::new(Algorithm::HS512), json!({}), SECRET_KEY),
            "credential_invalid",
        ),
        ("not signed", unsigned(r#"{"alg":"none","typ":"JWT"}"#), "credential_invalid"),
        ("not signed, said in capitals", unsigned(r#"{"alg":"NONE"}"#), "credential_invalid"),
        ("signature left out", unsigned(r#"{"alg":"HS256","typ":"JWT"}"#), "credential_invalid"),
    ]
    .map(|(who, credential, code)| Stranger { who, credential, code })
    .into()
}
