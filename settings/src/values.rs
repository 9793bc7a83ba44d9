//! Values that more than one program takes. Each error says what would be right.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// A day: beyond that it is a typing error.
const MOST_SECONDS: f64 = 86_400.0;

/// An address of this machine to listen on.
///
/// # Errors
/// For anything else, a name for instance.
pub fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        String::from("must be an IP address: 127.0.0.1 for this machine alone, 0.0.0.0 for all")
    })
}

/// A port to listen on.
///
/// # Errors
/// For anything else.
pub fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| String::from("must be a number from 0 (any free port) to 65535"))
}

/// Seconds, with or without a fraction, from 0.001 to a day.
///
/// # Errors
/// For anything else.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.001..=MOST_SECONDS).contains(&number) => {
            Ok(Duration::from_secs_f64(number))
        }
        Ok(_) | Err(_) => Err(String::from("must be a number of seconds from 0.001 to 86400")),
    }
}

/// A whole number within `range`.
///
/// # Errors
/// For anything else.
pub fn number<T>(text: &str, range: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        Ok(_) | Err(_) => {
            Err(format!("must be a whole number from {} to {}", range.start(), range.end()))
        }
    }
}
