//! Where the answer of a detached run is posted.

use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;

use super::telling::Teller;
use crate::domain::field_error::FieldError;
use crate::http::failure::Failure;
use crate::services::executions::Follower;
use crate::services::webhooks::{Webhook, Webhooks};

/// Posts the answer of a detached run when it has ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookBody {
    /// Of a host that the operator allows.
    #[schema(
        max_length = 2048,
        pattern = "^https?://[a-z0-9.-]+(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._~/-]*)?$"
    )]
    pub url: String,
    /// Signs it: `Crucible-Signature: t=<timestamp>,v1=<hex>`, HMAC-SHA-256 of `<timestamp>.<body>`.
    #[schema(min_length = 1, max_length = 64)]
    pub secret: Option<String>,
}

impl fmt::Debug for WebhookBody {
    /// Without the secret, and without a path that may be one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookBody(…)")
    }
}

impl WebhookBody {
    /// Checks it; `detached` says whether the run goes on without its caller.
    pub(in crate::http::rest) fn check(
        self,
        webhooks: &Webhooks,
        detached: bool,
    ) -> Result<Webhook, Failure> {
        if !detached {
            let msg = "is for detached runs: send \"detached\": true with it";
            return Err(Failure::Invalid(vec![FieldError::new("webhook", msg)]));
        }
        let Self { url, secret } = self;
        Ok(webhooks.check(&url, secret)?)
    }
}

/// Posts what a run answers, or the problem that there is instead, when it has ended.
pub(in crate::http::rest) fn deliver(
    webhooks: &Webhooks,
    webhook: Webhook,
    follower: Follower,
    teller: Teller,
) {
    webhooks.deliver(webhook, teller.id.clone(), async move {
        let answered = teller.answer(follower.end().await).await;
        let body = teller.finished(None, answered).data;
        (body, teller.room)
    });
}
