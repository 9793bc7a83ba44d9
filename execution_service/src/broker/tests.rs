//! A broker in this process, with servers and programs that speak to it as they like.

mod http;
mod policies;
mod scene;
mod socks;
