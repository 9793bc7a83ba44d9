//! From a request to checked parts of it.

mod accept;
mod answer_room;
mod body;
mod byte_query;
mod byte_range;
mod caller;
mod conditions;
pub mod field_path;
mod form_or_json;
mod idempotency_key;
mod json;
mod last_event_id;
mod origin;
mod prefer;
#[cfg(test)]
mod properties;
mod query;
mod request_id;
mod shape_error;
mod streamed_body;
mod strict_json;
mod url_path;

pub use self::accept::Wanted;
pub use self::answer_room::{AnswerBudget, AnswerRoom};
pub use self::body::{BodyBudget, BodyTimeout, MaxBody};
pub use self::byte_query::{ByteQuery, Parameters};
pub use self::byte_range::OptionalRange;
pub use self::caller::CurrentCaller;
pub use self::conditions::{Conditions, RangeOfVersion};
pub use self::form_or_json::FormOrJson;
pub use self::idempotency_key::OptionalKey;
pub use self::json::{Json, shape};
pub use self::last_event_id::LastEventId;
pub use self::origin::{AllowedOrigins, CheckedOrigin};
pub use self::prefer::{RESPOND_ASYNC, RespondAsync};
pub use self::query::QueryParams;
pub use self::request_id::{HEADER as REQUEST_ID_HEADER, RequestId};
pub use self::streamed_body::{Pieces, StreamedBody};
pub use self::url_path::PathInUrl;
