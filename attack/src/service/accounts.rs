//! Who attacks, and who must not notice it.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::call;
use crate::canaries::Canaries;
use crate::error::AttackError;
use crate::http::Client;

/// Access tokens or API keys.
#[derive(Clone)]
pub struct Accounts {
    /// The attacker.
    pub user: String,
    /// The bystander; `None` when nobody has given us a second user of a live service.
    pub other: Option<String>,
}

impl Accounts {
    /// Makes both as ordinary users.
    ///
    /// # Errors
    /// [`AttackError`], when the service does not let the administrator do so.
    pub async fn make(
        client: &Client,
        password: &str,
        canaries: &mut Canaries,
        limit: Duration,
    ) -> Result<Self, AttackError> {
        let admin = sign_in(client, "admin", password, limit).await?;
        let mut tokens = Vec::new();
        for name in ["attacker", "bystander"] {
            let password = canaries.plant("password of a user");
            let user = json!({"username": name, "password": password});
            call(client, Method::POST, "/v1/users", Some(&admin), Some(&user), limit).await?;
            tokens.push(sign_in(client, name, &password, limit).await?);
        }
        let other = tokens.pop();
        Ok(Self { user: tokens.pop().unwrap_or_default(), other })
    }
}

async fn sign_in(
    client: &Client,
    name: &str,
    password: &str,
    limit: Duration,
) -> Result<String, AttackError> {
    let path = "/v1/auth/token";
    let body = json!({"username": name, "password": password});
    let answer = call(client, Method::POST, path, None, Some(&body), limit).await?;
    Ok(String::from(answer["access_token"].as_str().unwrap_or_default()))
}
