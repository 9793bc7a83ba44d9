//! Reads columns as what they mean.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Error;
use crate::domain::timestamp::Timestamp;

pub(super) fn text(row: &AnyRow, column: &'static str) -> Result<String, Error> {
    Ok(row.try_get(column)?)
}

pub(super) fn optional_text(row: &AnyRow, column: &'static str) -> Result<Option<String>, Error> {
    Ok(row.try_get(column)?)
}

pub(super) fn flag(row: &AnyRow, column: &'static str) -> Result<bool, Error> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

pub(super) fn moment(row: &AnyRow, column: &'static str) -> Result<Timestamp, Error> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

pub(super) fn optional_moment(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<Timestamp>, Error> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
}

/// A column whose text must parse.
pub(super) fn parsed<T>(
    row: &AnyRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Error> {
    parse(&text(row, column)?).ok_or(Error::Unreadable(column))
}

/// A column whose text must parse where there is one.
pub(super) fn optional_parsed<T>(
    row: &AnyRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    match optional_text(row, column)? {
        Some(text) => parse(&text).map(Some).ok_or(Error::Unreadable(column)),
        None => Ok(None),
    }
}

/// A number from 0 to 65535.
pub(super) fn small(row: &AnyRow, column: &'static str) -> Result<u16, Error> {
    u16::try_from(row.try_get::<i64, _>(column)?).map_err(|_| Error::Unreadable(column))
}

/// A number.
pub(super) fn number(row: &AnyRow, column: &'static str) -> Result<i64, Error> {
    Ok(row.try_get(column)?)
}
