//! Moments as RFC 3339 text in UTC.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::timestamp::Timestamp;

/// `2026-01-31T12:00:00.123Z`.
pub fn write(moment: Timestamp) -> String {
    // Only years beyond 9999 cannot be written, and no moment of ours is there.
    OffsetDateTime::from(moment).format(&Rfc3339).unwrap_or_default()
}

/// Any RFC 3339 moment.
///
/// # Errors
/// What it should look like.
pub fn read(text: &str) -> Result<Timestamp, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(Timestamp::from)
        .map_err(|_| "must be a moment like 2026-01-31T12:00:00Z")
}
