//! The worker through its front door: the real binary as a process of its own, with real sandboxes,
//! asked over gRPC as the gateway does.

mod authentication;
mod compromised;
mod ending;
mod execution;
mod gcc;
mod hostile;
mod input;
mod inventory;
mod languages;
mod layers;
mod leftovers;
mod limits;
mod listening;
mod mutual_tls;
mod open_files;
mod ordinary_user;
mod outputs;
mod plain_log;
mod queue;
mod recompiling;
mod sessions;
mod shares;
mod startup;
mod support;

mod terminals;
mod together;
mod unread;
mod walls;
mod zygote;
