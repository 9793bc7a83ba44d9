//! Moments as RFC 3339 text in UTC.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::domain::timestamp::Timestamp;

/// `2026-01-31T12:00:00.123Z`.
pub fn write(moment: Timestamp) -> String {
    // Only years beyond 9999 cannot be written, and no moment of ours is there.
    OffsetDateTime::from(moment).format(&Rfc3339).unwrap_or_default()
}

/// Any RFC 3339 moment that can also be written: those of the last hours before the year 10000 west of
/// Greenwich cannot, in UTC.
///
/// # Errors
/// What it should look like.
pub fn read(text: &str) -> Result<Timestamp, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .filter(|moment| moment.checked_to_offset(UtcOffset::UTC).is_some_and(can_be_written))
        .map(Timestamp::from)
        .ok_or("must be a moment like 2026-01-31T12:00:00Z")
}

fn can_be_written(moment: OffsetDateTime) -> bool {
    moment.format(&Rfc3339).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn what_is_read_can_be_written() {
        let last = read("9999-12-31T23:59:59Z").unwrap();
        assert!(write(last).starts_with("9999-12-31T23:59:59"));
        for beyond in ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59-00:01", "soon"] {
            assert!(read(beyond).is_err(), "{beyond}");
        }
    }
}
