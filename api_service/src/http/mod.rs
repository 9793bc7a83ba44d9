//! Everything about HTTP.
//!
//! ```text
//! connections   how many, and for how long       middleware   around every request
//! rest          our /v1: routes and their JSON   extract      a request to checked parts
//! metrics       figures for operators            failure      what each failure means
//! memory_budget how much bodies may take, of requests and of answers
//! stream        answers that go on: events as they happen
//! server        puts them together
//! ```

pub mod connections;
pub mod extract;
pub mod failure;
mod memory_budget;
pub mod metrics;
pub mod middleware;
pub mod rest;
pub mod server;
pub mod stream;
