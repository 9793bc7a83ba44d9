//! Who attacks, and who must not notice it.

use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::asked;
use crate::caller::Caller;
use crate::secrets::Secrets;
use crate::trouble::Trouble;

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
    /// [`Trouble`], when the service does not let the administrator do so.
    pub async fn make(
        caller: &Caller,
        password: &str,
        secrets: &mut Secrets,
        limit: Duration,
    ) -> Result<Self, Trouble> {
        let admin = sign_in(caller, "admin", password, limit).await?;
        let mut tokens = Vec::new();
        for name in ["attacker", "bystander"] {
            let password = secrets.make("password of a user");
            let user = json!({"username": name, "password": password});
            asked(caller, Method::POST, "/v1/users", Some(&admin), Some(&user), limit).await?;
            tokens.push(sign_in(caller, name, &password, limit).await?);
        }
        let other = tokens.pop();
        Ok(Self { user: tokens.pop().unwrap_or_default(), other })
    }
}

async fn sign_in(
    caller: &Caller,
    name: &str,
    password: &str,
    limit: Duration,
) -> Result<String, Trouble> {
    let path = "/v1/auth/token";
    let body = json!({"username": name, "password": password});
    let answer = asked(caller, Method::POST, path, None, Some(&body), limit).await?;
    Ok(String::from(answer["access_token"].as_str().unwrap_or_default()))
}
