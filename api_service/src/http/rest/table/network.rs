//! What sessions may reach.

use actix_web::http::StatusCode as S;

use super::sessions::GONE;
use super::{get, patch};
use crate::domain::scope::Access::Needs;
use crate::domain::scope::Scope::{Read, Sessions};
use crate::http::failure::Code as C;
use crate::http::rest::endpoint::{Content, Endpoint, Tag, Takes};
use crate::http::rest::network;
use crate::http::rest::schemas::schema;

pub(super) fn rows() -> Vec<Endpoint> {
    use network::json::{NetworkAnswer, NetworkBody, NetworkLogAnswer};
    const POLICY: &str = "/v1/code_interpreter/sessions/{id}/network";
    const LOG: &str = "/v1/code_interpreter/sessions/{id}/network/log";
    vec![
        patch(POLICY, Needs(Sessions), Tag::Sessions, "change_network", "Change what it may reach")
            .more(
                "The whole policy is replaced, at once: connections that it does not allow are cut. It can only ask \
                 for less than the operator allows.",
            )
            .takes(Takes::Json(schema::<NetworkBody>))
            .gives(S::OK, "The policy", Content::Json(schema::<NetworkAnswer>))
            .fails(&GONE)
            .fails(&[C::NetworkRefused, C::NetworkUnavailable])
            .to(network::change),
        get(LOG, Needs(Read), Tag::Sessions, "network_log", "What it has reached")
            .more("Hosts, bytes and verdicts; never what went over a connection.")
            .gives(S::OK, "The connections", Content::Json(schema::<NetworkLogAnswer>))
            .fails(&GONE)
            .to(network::log),
    ]
}
