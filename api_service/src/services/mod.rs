//! What the gateway does, in the domain's words: no HTTP, no SQL, no gRPC.

pub mod access_tokens;
pub mod api_keys;
pub mod attempts;
pub mod authenticator;
pub mod background;
mod error;
pub mod executions;
pub mod files;
pub mod history;
pub mod housekeeping;
pub mod idempotency;
pub mod offboarding;
pub mod passwords;
pub mod processes;
pub mod recent;
pub mod sealing;
pub mod secrets;
pub mod sessions;
pub mod sign_in;
pub mod user_changes;
pub mod users;
pub mod webhooks;

pub use self::error::Error;
