//! The JSON of the REST API. Bodies turn into domain values by `parse`, which names every field
//! that is wrong; domain values turn into answers by `from`-like functions that leave no field out.

pub mod api_keys;
pub mod auth;
pub mod content;
pub mod doctor;
pub mod executions;
pub mod exposition;
pub mod full_output;
pub mod health;
pub mod languages;
pub mod limits;
pub mod moment;
pub mod page;
pub mod problem;
pub mod program;
pub mod report;
pub mod run;
pub mod sessions;
pub mod users;
