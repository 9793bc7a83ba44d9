//! The gRPC edge: connections ([`connections`]), who may call ([`auth`]), wire types to ours ([`from_wire`]) and back ([`to_wire`]),
//! and one thin method for each call (a file a service).

mod artifacts;
mod auth;
mod connections;
mod deadline;
mod events;
mod executions;
mod files;
mod from_wire;
mod inventory_to_wire;
mod network;
mod network_from_wire;
mod process_from_wire;
mod process_to_wire;
mod processes;
mod sessions;
mod sessions_from_wire;
mod status;
mod terminals;
mod to_wire;
mod workers;

pub use auth::Authenticate;
pub use connections::Connections;
pub use executions::Executions;
pub use files::Files;
pub use network::Network;
pub use processes::Processes;
pub use sessions::Sessions;
pub use workers::Workers;
