//! `POST /v1/code_interpreter/executions/{id}/stdin`.

use actix_web::web::{self, Data, Path};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::field_error::FieldError;
use crate::domain::ids::ExecutionId;
use crate::domain::run::{Input, MAX_INPUT};
use crate::http::extract::{CurrentCaller, Json, RequestId};
use crate::http::failure::Failure;
use crate::http::rest::fields::content::BASE64;
use crate::services::Error;
use crate::state::AppState;

/// Longest text, in characters: each has four bytes at most.
const MAX_TEXT: usize = MAX_INPUT / 4;
/// Longest base64, in characters.
const MAX_BASE64: usize = MAX_INPUT / 3 * 4;

/// More standard input for a run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputBody {
    /// As it is.
    pub text: Option<String>,
    /// Bytes that are no text.
    pub base64: Option<String>,
    /// Nothing comes after this.
    pub eof: Option<bool>,
}

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct InputAnswer {
    /// So many bytes: all.
    #[schema(example = 6)]
    pub accepted_bytes: usize,
}

impl InputBody {
    /// Checks it.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub fn parse(self) -> Result<Input, Vec<FieldError>> {
        let wrong = |field: &str, msg: String| Err(vec![FieldError::new(field, msg)]);
        let Self { text, base64, eof } = self;
        let data = match (text, base64) {
            (Some(_), Some(_)) => {
                return wrong("base64", "must be left out where there is text".to_owned());
            }
            (None, None) if eof.is_none() => {
                return wrong("text", "must be there, or base64, or eof".to_owned());
            }
            (None, None) => Vec::new(),
            (Some(text), None) if text.chars().count() > MAX_TEXT => {
                return wrong("text", format!("must have at most {MAX_TEXT} characters"));
            }
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) if base64.len() > MAX_BASE64 => {
                return wrong("base64", format!("must have at most {MAX_BASE64} characters"));
            }
            (None, Some(base64)) => match STANDARD.decode(base64) {
                Ok(bytes) => bytes,
                Err(_) => {
                    let rule = "must be base64 of the standard alphabet, with padding";
                    return wrong("base64", rule.to_owned());
                }
            },
        };
        Ok(Input { data, end: eof.unwrap_or_default() })
    }
}

/// Write to the standard input of a run that was started with an open one. Needs the scope `run`.
pub(in crate::http::rest) async fn write(
    state: Data<AppState>,
    CurrentCaller(caller): CurrentCaller,
    RequestId(request_id): RequestId,
    id: Path<String>,
    body: Json<InputBody>,
) -> Result<web::Json<InputAnswer>, Failure> {
    let id = ExecutionId::parse(&id).ok_or(Error::ExecutionNotFound)?;
    let input = body.value.parse().map_err(Failure::Invalid)?;
    state.executions.write_input(&caller.user, &id, &input, &request_id).await?;
    Ok(web::Json(InputAnswer { accepted_bytes: input.data.len() }))
}

impl PartialSchema for InputBody {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MAX_TEXT))
            .description(Some("Text, as it is."));
        let base64 = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MAX_BASE64))
            .pattern(Some(BASE64))
            .description(Some("Bytes that are no text."));
        let eof = || {
            ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .description(Some("True: the program reads the end of the input behind this."))
        };
        let object = || {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let with = |name: &str, schema: ObjectBuilder| {
            object().property(name, schema).required(name).property("eof", eof())
        };
        let end = object().property("eof", eof()).required("eof");
        let all = OneOfBuilder::new().item(with("text", text)).item(with("base64", base64));
        RefOr::T(Schema::OneOf(all.item(end).build()))
    }
}

impl ToSchema for InputBody {}
