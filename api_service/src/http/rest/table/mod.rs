//! The route table: what exists, what it asks of its callers, what it takes, gives and can fail with. A file
//! holds the rows of one resource.

mod contexts;
mod credentials;
mod executions;
mod files;
mod network;
mod processes;
mod public;
mod sessions;

use actix_web::http::Method;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::endpoint::{Draft, Endpoint, Tag, row};
use super::fields::page::PageQuery;
use super::schemas::id_of;
use crate::domain::scope::Access;

/// The routes that ask for none, or ask for one by themselves.
pub fn public() -> Vec<Endpoint> {
    let mut rows = public::public();
    rows.push(processes::terminal());
    rows
}

/// The routes that ask for a credential.
pub fn protected() -> Vec<Endpoint> {
    let all = [
        credentials::rows(),
        executions::rows(),
        sessions::rows(),
        contexts::rows(),
        processes::rows(),
        files::rows(),
        network::rows(),
    ];
    all.into_iter().flatten().collect()
}

type Text = &'static str;

fn get(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::GET, path, access, tag, id, summary)
}

fn post(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::POST, path, access, tag, id, summary)
}

fn delete(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::DELETE, path, access, tag, id, summary)
}

fn put(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::PUT, path, access, tag, id, summary)
}

fn patch(path: Text, access: Access, tag: Tag, id: Text, summary: Text) -> Draft {
    row(Method::PATCH, path, access, tag, id, summary)
}

/// Which page of a list of things whose ids begin with `prefix`.
fn page(prefix: &str) -> Vec<Parameter> {
    let mut parameters = PageQuery::into_params(|| Some(ParameterIn::Query));
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name == "cursor") {
        parameter.schema = Some(id_of(prefix).into());
    }
    parameters
}
