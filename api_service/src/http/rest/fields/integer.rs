//! Whole numbers as JSON Schema has them: `134217728.0` is one.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use std::fmt;

/// The largest number up to which a fraction-less float names exactly one integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole number that is not negative, or nothing.
///
/// # Errors
/// When there is something else.
pub fn optional_u64<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    from.deserialize_any(Whole)
}

/// The same of 32 bits.
///
/// # Errors
/// When there is something else, or it is too large.
pub fn optional_u32<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let too_large = |_| D::Error::custom("must be at most 4294967295");
    optional_u64(from)?.map(u32::try_from).transpose().map_err(too_large)
}

/// The same, and not nothing.
///
/// # Errors
/// When there is something else, or it is too large.
pub fn u32<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    optional_u32(from)?.ok_or_else(|| D::Error::custom("must be a whole number, 0 or more"))
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, 0 or more")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        let wrong = |_| E::invalid_value(Unexpected::Signed(number), &self);
        u64::try_from(number).map(Some).map_err(wrong)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.fract() == 0.0 && (0.0..=EXACT).contains(&number) {
            Ok(Some(number as u64))
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{optional_u32, optional_u64};

    #[test]
    fn a_number_is_whole_when_it_has_no_fraction_however_it_is_written() {
        let read = |text| optional_u64(&mut serde_json::Deserializer::from_str(text)).ok();
        for (text, number) in [
            ("134217728", Some(134_217_728)),
            ("134217728.0", Some(134_217_728)),
            ("1.5e3", Some(1500)),
            ("0.0", Some(0)),
            ("null", None),
            ("18446744073709551615", Some(u64::MAX)),
        ] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["1.5", "-1", "-1.0", "1e300", "\"1\"", "true", "[]"] {
            assert_eq!(read(text), None, "{text}");
        }
        let small = |text| optional_u32(&mut serde_json::Deserializer::from_str(text)).ok();
        assert_eq!((small("7.0"), small("4294967296")), (Some(Some(7)), None));
    }
}
