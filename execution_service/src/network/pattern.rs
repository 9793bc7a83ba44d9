//! Patterns of hosts, as lists of what is allowed are written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::USUAL_PORTS;
use super::name::{Destination, Host, HostName, NotAHost};

/// `example.org`, `*.example.org`, `192.0.2.7`, `*`; each with `:port`, or meaning the usual ports.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    hosts: Hosts,
    /// Absent for the [`USUAL_PORTS`].
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Hosts {
    /// Every host that has a name.
    All,
    /// This one.
    One(Host),
    /// Every name that has one or more parts before this, and not this itself.
    Below(HostName),
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPattern {
    /// Its host is none.
    #[error(transparent)]
    Host(#[from] NotAHost),
    /// What is behind the colon is none.
    #[error("has a port that is not between 1 and 65535")]
    Port,
    /// A star somewhere else than as the whole first part.
    #[error("may have a star only as its first part: *.example.com")]
    Star,
}

impl FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let (host, port) = split_port(text)?;
        let hosts = match host.strip_prefix('*') {
            Some("") => Hosts::All,
            Some(rest) => {
                let name = rest.strip_prefix('.').ok_or(NotAPattern::Star)?;
                if name.contains('*') {
                    return Err(NotAPattern::Star);
                }
                Hosts::Below(HostName::parse(name)?)
            }
            None if host.contains('*') => return Err(NotAPattern::Star),
            None => Hosts::One(Host::parse(host)?),
        };
        Ok(Self { hosts, port })
    }
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, and its port.
fn split_port(text: &str) -> Result<(&str, Option<u16>), NotAPattern> {
    let behind_brackets = text.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = text[behind_brackets..].find(':') else {
        return Ok((text, None));
    };
    if behind_brackets == 0 && text.matches(':').count() > 1 {
        // An IPv6 address without brackets has no port.
        return Ok((text, None));
    }
    let (host, port) = text.split_at(behind_brackets + colon);
    let digits = &port[1..];
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|port| plain && *port > 0);
    Ok((host, Some(port.ok_or(NotAPattern::Port)?)))
}

impl Pattern {
    /// Whether `destination` is meant.
    pub fn matches(&self, destination: &Destination) -> bool {
        self.names(&destination.host) && self.has_port(destination.port)
    }

    /// Whether the host is meant, whatever the port.
    pub fn names(&self, host: &Host) -> bool {
        match (&self.hosts, host) {
            (Hosts::All, Host::Name(_)) => true,
            (Hosts::One(one), host) => one == host,
            (Hosts::Below(parent), Host::Name(name)) => is_below(name, parent),
            (Hosts::All | Hosts::Below(_), Host::Address(_)) => false,
        }
    }

    /// Whether `destination` is one of its hosts, and of its port if it has one: without a port, every one is meant.
    pub fn concerns(&self, destination: &Destination) -> bool {
        self.names(&destination.host) && self.port.is_none_or(|port| port == destination.port)
    }

    /// Whether all that `other` means is meant.
    pub fn covers(&self, other: &Self) -> bool {
        let hosts = match (&self.hosts, &other.hosts) {
            (_, Hosts::One(host)) => self.names(host),
            (Hosts::All, Hosts::All | Hosts::Below(_)) => true,
            (Hosts::Below(parent), Hosts::Below(name)) => name == parent || is_below(name, parent),
            (Hosts::One(_), Hosts::All | Hosts::Below(_)) | (Hosts::Below(_), Hosts::All) => false,
        };
        let ports = match (self.port, other.port) {
            (_, Some(port)) => self.has_port(port),
            (None, None) => true,
            (Some(_), None) => false,
        };
        hosts && ports
    }

    fn has_port(&self, port: u16) -> bool {
        self.port.map_or_else(|| USUAL_PORTS.contains(&port), |own| own == port)
    }
}

fn is_below(name: &HostName, parent: &HostName) -> bool {
    name.as_str().strip_suffix(parent.as_str()).is_some_and(|before| before.ends_with('.'))
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::All => formatter.write_str("*")?,
            Hosts::One(host) => host.fmt(formatter)?,
            Hosts::Below(name) => write!(formatter, "*.{name}")?,
        }
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().expect("a pattern")
    }

    fn to(host: &str, port: u16) -> Destination {
        Destination { host: Host::parse(host).expect("a host"), port }
    }

    #[test]
    fn a_star_means_what_is_below_and_nothing_else() {
        let below = pattern("*.example.com");
        for host in ["a.example.com", "a.b.example.com", "A.EXAMPLE.com."] {
            assert!(below.matches(&to(host, 443)), "{host}");
        }
        for host in ["example.com", "evilexample.com", "a.example.com.evil.org", "example.com.a"] {
            assert!(!below.matches(&to(host, 443)), "{host}");
        }
    }

    #[test]
    fn a_star_means_no_address() {
        assert!(pattern("*").matches(&to("example.org", 80)));
        for host in ["192.0.2.1", "::1", "2001:db8::1"] {
            assert!(!pattern("*").matches(&to(host, 80)), "{host}");
        }
        assert!(pattern("192.0.2.1").matches(&to("192.0.2.1", 80)));
        assert!(pattern("[2001:db8::1]:81").matches(&to("2001:db8:0::1", 81)));
    }

    #[test]
    fn without_a_port_the_usual_ones_are_meant() {
        let usual = pattern("example.org");
        assert!(usual.matches(&to("example.org", 80)) && usual.matches(&to("example.org", 443)));
        assert!(!usual.matches(&to("example.org", 22)));
        let one = pattern("example.org:22");
        assert!(one.matches(&to("example.org", 22)) && !one.matches(&to("example.org", 443)));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "*x",
            "*.",
            "*.*.a",
            "a.*",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:80:80",
            ":80",
            "*.1.2.3.4",
            "http://a",
            "a/b",
            "[::1]x",
            "[::1]:x",
            "127.1",
            "a b",
            "*.127.1",
        ] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn one_covers_another() {
        for (wide, narrow) in [
            ("*", "*.a.org"),
            ("*", "a.org"),
            ("*.org", "*.a.org"),
            ("*.a.org", "*.a.org"),
            ("*.a.org", "b.a.org:443"),
            ("a.org", "a.org"),
            ("a.org:8", "a.org:8"),
        ] {
            assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
        }
        for (narrow, other) in [
            ("*", "1.2.3.4"),
            ("*.a.org", "a.org"),
            ("*.a.org", "*"),
            ("*.a.org", "*.ba.org"),
            ("a.org", "a.org:8"),
            ("a.org:443", "a.org"),
            ("a.org", "*.a.org"),
        ] {
            assert!(!pattern(narrow).covers(&pattern(other)), "{narrow} {other}");
        }
    }

    fn any_pattern() -> impl Strategy<Value = String> {
        let host = prop_oneof!["[a-c]{1,2}(\\.[a-c]{1,2}){0,3}", "1\\.2\\.3\\.[1-3]"];
        ("\\*|(\\*\\.)?", host, proptest::option::of(1..4_u16)).prop_map(|(star, host, port)| {
            let host = if star == "*" { star } else { star + &host };
            port.map_or(host.clone(), |port| format!("{host}:{port}"))
        })
    }

    proptest! {
        #[test]
        fn what_is_covered_is_matched(wide in any_pattern(), narrow in any_pattern(),
            host in "[a-c]{1,2}(\\.[a-c]{1,2}){0,4}|1\\.2\\.3\\.[1-3]", port in 0..500_u16) {
            if let (Ok(wide), Ok(narrow)) = (wide.parse::<Pattern>(), narrow.parse::<Pattern>()) {
                let it = to(&host, port);
                prop_assert!(!(wide.covers(&narrow) && narrow.matches(&it)) || wide.matches(&it));
            }
        }

        #[test]
        fn what_is_shown_is_read_again(text in "\\PC{0,30}|[*a-z0-9.:\\[\\]]{0,30}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                prop_assert_eq!(pattern.to_string().parse::<Pattern>(), Ok(pattern));
            }
        }
    }
}
