//! The gRPC edge: connections ([`lines`]), who may call ([`auth`]), wire types to ours ([`from_wire`]) and back ([`to_wire`]),
//! and one thin method for each call ([`service`]).

mod auth;
mod deadline;
mod events;
mod from_wire;
mod holdings_to_wire;
mod lines;
mod service;
mod to_wire;

pub use auth::Authenticate;
pub use lines::Lines;
pub use service::Service;
