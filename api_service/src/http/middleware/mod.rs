//! What happens around every request.

mod authenticate;
mod authorize;
mod head;
mod mark_busy;
mod observe;
mod preflight;
mod request_id;
mod security_headers;

pub use self::authenticate::{API_KEY, authenticate, credential};
pub use self::authorize::authorize;
pub use self::head::head;
pub use self::mark_busy::mark_busy;
pub use self::observe::observe;
pub use self::preflight::preflight;
pub use self::request_id::request_id;
pub use self::security_headers::security_headers;
