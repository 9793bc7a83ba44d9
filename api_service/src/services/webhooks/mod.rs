//! Answers that are posted to whoever asked for that, when a run has ended: to hosts that the operator allows, signed,
//! and again when they do not take it.

mod address;
mod send;
mod target;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use settings::Secret;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use self::send::{Sent, Tls};
use self::target::Target;
pub use self::target::{AllowedHost, MAX_URL};
use super::Error;
use super::background::Background;
use super::secrets::hex;
use crate::domain::field_error::FieldError;
use crate::domain::ids::ExecutionId;
use crate::domain::timestamp::Timestamp;

/// Longest secret, in bytes.
pub const MAX_SECRET: usize = 256;
/// How long is waited before each further attempt.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(16),
    Duration::from_secs(64),
];
/// Attempts of all users at once: each takes ten seconds at most.
const AT_ONCE: usize = 64;

/// Posts answers. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    allowed: Arc<[AllowedHost]>,
    background: Background,
    tls: Tls,
    at_once: Arc<Semaphore>,
}

/// Where the answer of one run is posted.
#[derive(Clone)]
pub struct Webhook {
    target: Target,
    secret: Option<Secret>,
}

impl Webhooks {
    /// To `allowed` hosts alone.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(allowed: Vec<AllowedHost>, background: Background) -> Result<Self, Error> {
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { allowed: allowed.into(), background, tls: Tls::new()?, at_once })
    }

    /// A webhook that may be used. Where its host leads is looked at when it is used.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::WebhookRefused`].
    pub fn check(&self, url: &str, secret: Option<String>) -> Result<Webhook, Error> {
        let wrong = |field: &str, msg: &str| Error::Refused(FieldError::new(field, msg));
        let rule = "must be an http or https URL of at most 2048 bytes, without user and fragment";
        let target = Target::parse(url).ok_or_else(|| wrong("webhook.url", rule))?;
        if secret.as_ref().is_some_and(|secret| !(1..=MAX_SECRET).contains(&secret.len())) {
            return Err(wrong("webhook.secret", "must have 1 to 256 bytes"));
        }
        if !self.allowed.iter().any(|host| host.allows(&target)) {
            return Err(Error::WebhookRefused(target.authority()));
        }
        Ok(Webhook { target, secret: secret.map(Secret::new) })
    }

    /// Posts what `answer` gives, behind everything else, and keeps what comes with it until that is done: room in
    /// memory. What is not posted when the gateway stops, is not.
    pub fn deliver<Room: Send + 'static>(
        &self,
        webhook: Webhook,
        id: ExecutionId,
        answer: impl Future<Output = (Bytes, Room)> + Send + 'static,
    ) {
        let own = self.clone();
        self.background.spawn(async move {
            let (body, _room) = answer.await;
            own.post(&webhook, &id, body).await;
        });
    }

    async fn post(&self, webhook: &Webhook, id: &ExecutionId, body: Bytes) {
        let mut pauses = PAUSES.iter();
        loop {
            let sent = self.attempt(webhook, id, body.clone()).await;
            // The path may hold what nobody else should know.
            let host = webhook.target.authority();
            match (sent, pauses.next()) {
                (Sent::Taken, _) => {
                    return tracing::info!(execution.id = %id, host, "a webhook was delivered");
                }
                (Sent::NotNow(why), Some(pause)) => {
                    tracing::info!(execution.id = %id, host, why, "a webhook is tried again");
                    sleep(*pause).await;
                }
                (Sent::NotNow(why), None) | (Sent::Never(why), _) => {
                    return tracing::warn!(execution.id = %id, host, why, "a webhook is given up");
                }
            }
        }
    }

    async fn attempt(&self, webhook: &Webhook, id: &ExecutionId, body: Bytes) -> Sent {
        let Ok(_place) = self.at_once.acquire().await else {
            return Sent::Never("the gateway stops".to_owned());
        };
        let Webhook { target, secret } = webhook;
        let timestamp = Timestamp::now().seconds();
        let signature = secret.as_ref().map(|secret| signature(secret, timestamp, &body));
        send::send(target, &self.allowed, &self.tls, (id, timestamp, signature), body).await
    }
}

/// HMAC-SHA-256 of `<timestamp>.<body>`, in hex, as the header has it.
fn signature(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{timestamp}.").as_bytes());
    context.update(body);
    format!("t={timestamp},v1={}", hex(context.sign().as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_anybody_else_computes() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        let signed = signature(&Secret::new("key".to_owned()), 1_700_000_000, br#"{"a":1}"#);
        assert_eq!(
            signed,
            "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
        );
    }
}
