//! The gRPC edge: connections ([`lines`]), who may call ([`auth`]), wire types to ours ([`from_wire`]) and back ([`to_wire`]),
//! and one thin method for each call (a file a service).

mod auth;
mod deadline;
mod events;
mod executions;
mod from_wire;
mod inventory_to_wire;
mod lines;
mod sessions;
mod to_wire;
mod workers;

pub use auth::Authenticate;
pub use executions::Executions;
pub use lines::Lines;
pub use sessions::Sessions;
pub use workers::Workers;
