//! What the gateway talks about, free of HTTP, SQL and gRPC. A value of these types has been
//! checked: an edge parses into them once, and nothing further inside checks again.

pub mod api_key;
pub mod artifact;
pub mod byte_range;
pub mod caller;
pub mod capabilities;
pub mod capture;
pub mod context;
pub mod credentials;
pub mod event;
pub mod execution;
pub mod field_error;
pub mod files;
pub mod idempotency;
pub mod ids;
pub mod inventory;
pub mod language;
pub mod limits;
pub mod model_text;
pub mod network;
pub mod page;
pub mod peer;
pub mod process;
pub mod process_output;
pub mod queue;
pub mod refresh_token;
pub mod report;
pub mod run;
pub mod scope;
pub mod session;
pub mod session_filter;
pub mod timestamp;
pub mod user;
pub mod wishes;
pub mod workspace;
