//! Lists, page by page.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::page::{DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest};

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most items, 1 to 250.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Checks it; `parse` reads a cursor.
    ///
    /// # Errors
    /// What is wrong with which parameter.
    pub fn parse<Id>(
        self,
        parse: impl Fn(&str) -> Option<Id>,
    ) -> Result<PageRequest<Id>, Vec<FieldError>> {
        let Self { limit, cursor } = self;
        let mut errors = FieldErrors::default();
        let limit = limit.map_or(Some(DEFAULT_LIMIT), |text| {
            let number = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
            let msg = format!("must be a whole number from 1 to {MAX_LIMIT}");
            errors.keep("limit", number.ok_or(msg))
        });
        let after = cursor.as_deref().map(|text| parse(text).ok_or(text));
        let after = match after.transpose() {
            Ok(after) => after,
            Err(_) => {
                errors.push("cursor", "must be the next_cursor of the page before");
                None
            }
        };
        errors.finish(limit.map(|limit| PageRequest { limit, after }))
    }
}

/// One page.
#[derive(Debug, Serialize)]
pub struct PageAnswer<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T: ToSchema> PartialSchema for PageAnswer<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .max_items(usize::try_from(MAX_LIMIT).ok())
            .description(Some("Newest first."));
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("For the next page; null on the last."));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("data", items)
            .required("data")
            .property("next_cursor", next)
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for PageAnswer<T> {
    fn name() -> Cow<'static, str> {
        let name = T::name();
        format!("{}Page", name.strip_suffix("Answer").unwrap_or(&name)).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> PageAnswer<T> {
    /// From the domain.
    pub fn of<Item, Id: ToString>(page: Page<Item, Id>, show: impl Fn(Item) -> T) -> Self {
        let Page { items, next } = page;
        Self {
            data: items.into_iter().map(show).collect(),
            next_cursor: next.map(|id| id.to_string()),
        }
    }
}
