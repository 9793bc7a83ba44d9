//! One page of a list that is sorted by id, newest first.

/// Most items of a page.
pub const MAX_LIMIT: u32 = 250;
/// Items of a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;

/// Which page.
#[derive(Debug, Clone)]
pub struct PageRequest<Id> {
    /// How many items at most, 1 to [`MAX_LIMIT`].
    pub limit: u32,
    /// Only items older than this one.
    pub after: Option<Id>,
}

/// The items, and where the next page starts.
#[derive(Debug, Clone)]
pub struct Page<T, Id> {
    /// Newest first.
    pub items: Vec<T>,
    /// The id to go on after; `None` on the last page.
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// From up to `limit + 1` items: the one too many only proves that there is a next page.
    pub fn cut(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> Id) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(id) } else { None };
        Self { items, next }
    }
}
