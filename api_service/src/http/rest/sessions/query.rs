//! Which sessions a list is to show: `?limit=&cursor=&status=&metadata.<key>=<value>`.

use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::ids::SessionId;
use crate::domain::page::PageRequest;
use crate::domain::session::SessionStatus;
use crate::domain::session_filter::{MAX_KEY, MAX_VALUE, MAX_WISHES, SessionFilter};
use crate::http::rest::fields::page::PageQuery;
use crate::http::rest::fields::words;

/// What the names of wishes about metadata begin with; the key follows.
const METADATA: &str = "metadata.";

/// Reads the parameters of a list of sessions.
///
/// # Errors
/// What is wrong with which parameter.
pub fn parse(
    parameters: Vec<(String, String)>,
) -> Result<(PageRequest<SessionId>, SessionFilter), Vec<FieldError>> {
    let mut errors = FieldErrors::default();
    let (mut page, mut filter) =
        (PageQuery { limit: None, cursor: None }, SessionFilter::default());
    let mut status = None;
    for (name, value) in parameters {
        let once = match &*name {
            "limit" => page.limit.replace(value),
            "cursor" => page.cursor.replace(value),
            "status" => status.replace(value),
            _ => {
                wish(&name, value, &mut filter, &mut errors);
                None
            }
        };
        if once.is_some() {
            errors.push(name, "must not stand twice");
        }
    }
    if let Some(text) = status {
        let names = SessionStatus::ALL.map(SessionStatus::name).join(", ");
        let parsed = SessionStatus::parse(&text).ok_or(format!("must be one of {names}"));
        filter.status = errors.keep("status", parsed);
    }
    let page = match page.parse(SessionId::parse) {
        Ok(page) => Some(page),
        Err(wrong) => {
            wrong.into_iter().for_each(|FieldError { loc, msg }| errors.push(loc, msg));
            None
        }
    };
    errors.finish(page.map(|page| (page, filter)))
}

fn wish(name: &str, value: String, filter: &mut SessionFilter, errors: &mut FieldErrors) {
    let Some(key) = name.strip_prefix(METADATA) else {
        errors.push(name, "is unknown; there are limit, cursor, status and metadata.<key>");
        return;
    };
    if !(1..=MAX_KEY).contains(&key.len()) {
        errors.push(METADATA, format!("must be followed by a key of 1 to {MAX_KEY} bytes"));
    } else if value.len() > MAX_VALUE {
        errors.push(name, format!("must have at most {MAX_VALUE} bytes"));
    } else if filter.metadata.len() == MAX_WISHES {
        errors.push(name, format!("must be one of at most {MAX_WISHES} of its kind"));
    } else {
        filter.metadata.push((key.to_owned(), value));
    }
}

/// The parameters beside those of any page.
pub(in crate::http::rest) fn parameters() -> Vec<Parameter> {
    // In characters; a character has 4 bytes at most.
    let value = ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX_VALUE / 4));
    let about = "Only those whose metadata have this: `metadata.` and any key of theirs, as often as 8 times; all \
         must hold. A text is compared as it is, a number, true, false or null as JSON spells it.";
    vec![
        parameter("status", "Only those that are so.", words::session_status()),
        parameter("metadata.key", about, value.build()),
    ]
}

fn parameter(name: &str, about: &str, schema: Object) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}
