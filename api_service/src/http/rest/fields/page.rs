//! Lists, page by page.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::page::{DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest};

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most items, 1 to 250.
    #[param(minimum = 1, maximum = 250, default = 50)]
    pub limit: Option<u32>,
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
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            errors.push("limit", format!("must be from 1 to {MAX_LIMIT}"));
        }
        let after = cursor.as_deref().map(|text| parse(text).ok_or(text));
        let after = match after.transpose() {
            Ok(after) => after,
            Err(_) => {
                errors.push("cursor", "must be the next_cursor of the page before");
                None
            }
        };
        errors.finish(Some(PageRequest { limit, after }))
    }
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageAnswer<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
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
