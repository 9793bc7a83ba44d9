//! From a request to checked parts of it.

mod body;
mod byte_range;
mod caller;
mod form_or_json;
mod idempotency_key;
mod json;
mod misfit;
mod page;
#[cfg(test)]
mod properties;
mod request_id;
mod room;
mod strict_json;

pub use self::body::{BodyTimeout, MaxBody};
pub use self::byte_range::OptionalRange;
pub use self::caller::CurrentCaller;
pub use self::form_or_json::FormOrJson;
pub use self::idempotency_key::OptionalKey;
pub use self::json::Json;
pub use self::page::PageParams;
pub use self::request_id::{HEADER as REQUEST_ID_HEADER, RequestId};
pub use self::room::{BodyRoom, Share};
