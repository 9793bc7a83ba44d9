//! Names of hosts, each in the one form in which they are compared.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use serde::{Deserialize, Serialize};

/// Characters of a name, its dots included: the most that DNS has room for.
const LONGEST: usize = 253;
/// Characters between two dots.
const LONGEST_LABEL: usize = 63;

/// A name for DNS: lower case, ASCII (an international one in its `xn--` form), without a dot at the end, and
/// nothing that any program would take for a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostName(String);

/// What can be connected to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Host {
    /// By its name.
    Name(HostName),
    /// By its address, in the one usual form of it.
    Address(IpAddr),
}

/// A host and a port of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// Canonical.
    pub host: Host,
    /// 1 to 65,535.
    pub port: u16,
}

/// Why a text names no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHost {
    /// Nothing, or nothing but a dot.
    #[error("is empty")]
    Empty,
    /// More than DNS has room for.
    #[error("is longer than the 253 characters of a host name, or has a part of more than 63")]
    TooLong,
    /// Another spelling of an address (`127.1`, `0x7f000001`, `010.0.0.1`), which programs read differently.
    #[error("is a number; write an address as four decimal numbers, or name the host")]
    Numeric,
    /// Characters that no host name has.
    #[error("is no host name")]
    Malformed,
}

impl HostName {
    /// Of `text`, in whatever case and script it is written.
    ///
    /// # Errors
    /// [`NotAHost`]; also for an address.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        match Host::parse(text)? {
            Host::Name(name) => Ok(name),
            Host::Address(_) => Err(NotAHost::Numeric),
        }
    }

    /// As it is compared and resolved.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Host {
    /// Of `text`: a name, four decimal numbers, or an IPv6 address with or without its brackets.
    ///
    /// # Errors
    /// [`NotAHost`].
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        if text.len() > 4 * LONGEST {
            return Err(NotAHost::TooLong);
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(inside) = bare {
            let address: Ipv6Addr = inside.parse().map_err(|_| NotAHost::Malformed)?;
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::Address(address.into()));
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), AsciiDenyList::URL);
        let ascii = ascii.map_err(|_| NotAHost::Malformed)?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii);
        if name.is_empty() {
            return Err(NotAHost::Empty);
        }
        if name.len() > LONGEST || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
            return Err(NotAHost::TooLong);
        }
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        if name.rsplit('.').next().is_some_and(is_number) {
            return Err(NotAHost::Numeric);
        }
        if !name.split('.').all(is_label) {
            return Err(NotAHost::Malformed);
        }
        Ok(Self::Name(HostName(String::from(name))))
    }
}

/// Whether some program would read a name that ends so as an address, as browsers and the C library do.
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    digits(label) || hexadecimal.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Letters, digits, hyphens, and the underscore that names of buckets and services have.
fn is_label(label: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    !label.is_empty()
        && label.bytes().all(known)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(formatter),
            Self::Address(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Result<String, NotAHost> {
        Host::parse(text).map(|host| host.to_string())
    }

    #[test]
    fn a_name_has_one_form() {
        for (text, form) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("ｅｘａｍｐｌｅ.com", "example.com"),
            ("a。b", "a.b"),
            ("my_bucket.s3.example", "my_bucket.s3.example"),
            ("192.0.2.7", "192.0.2.7"),
            ("１９２.0.2.7", "192.0.2.7"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
            ("2001:db8::1", "[2001:db8::1]"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(form), "{text}");
        }
    }

    #[test]
    fn other_spellings_of_addresses_are_no_hosts() {
        for text in [
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "256.1.1.1",
            "a.0x",
            "a.1",
            "127.0.0.1.0x10",
            "0X7F000001",
            "１２７.1",
        ] {
            assert_eq!(shown(text), Err(NotAHost::Numeric), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(64);
        let longer = ["abcdefg"; 40].join(".");
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "a@b",
            "a:80",
            "a%2e",
            "a\r\nb",
            "a\0b",
            "-a",
            "a-.b",
            "[::1",
            "[1.2.3.4]",
            "*",
            "*.a",
            "fe80::1%eth0",
            &long,
            &longer,
        ] {
            assert!(Host::parse(text).is_err(), "{text:?}: {:?}", Host::parse(text));
        }
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_canonical(text in "\\PC{0,40}|[a-zA-Z0-9.\\-_\\[\\]:x]{0,40}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host.clone()));
                prop_assert!(host.to_string().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(host.to_string().len() <= LONGEST);
            }
        }
    }
}
