//! What one session or run may reach.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::Destination;
use super::pattern::Pattern;

/// Patterns in each list of a policy, at most.
pub const MOST_PATTERNS: usize = 64;
/// Patterns that have a list of methods, at most; and methods in one.
pub const MOST_METHODS: usize = 16;
/// Connections at once where a policy says nothing, and at most.
const MOST_CONNECTIONS: u32 = 64;

/// Whether anything can be reached at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Nothing.
    None,
    /// What the list allows.
    Allow,
}

/// What a session or a run may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// With [`Mode::None`] the rest only waits for another mode.
    pub mode: Mode,
    /// At most [`MOST_PATTERNS`].
    pub allow: Vec<Pattern>,
    /// What is refused although it is allowed; at most [`MOST_PATTERNS`].
    pub deny: Vec<Pattern>,
    /// Hosts of which only some methods of plain requests are allowed; at most [`MOST_METHODS`] of each.
    pub methods: Vec<(Pattern, Vec<Method>)>,
    /// Bytes of all connections together, both ways; absent for any number.
    pub max_bytes: Option<u64>,
    /// Connections at once: 1 to 64.
    pub max_connections: u32,
}

/// A method of HTTP: 1 to 16 capital letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method(String);

impl Method {
    /// Of `text`, exactly as it will be sent.
    pub fn parse(text: &str) -> Option<Self> {
        /// Characters; the longest registered one is UPDATEREDIRECTREF.
        const LONGEST: usize = 17;
        let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        // A tunnel shows no methods.
        let named = (1..=LONGEST).contains(&text.len()) && plain && text != "CONNECT";
        named.then(|| Self(String::from(text)))
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a connection is refused, for whoever reads the refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// The mode is `none`.
    Off,
    /// Nothing in the list allows it.
    NotAllowed,
    /// This pattern denies it.
    Denied(Pattern),
    /// It is beyond what the operator allows.
    Operator,
    /// Methods are limited for this host, and this one is not among them.
    Method(Pattern),
    /// Methods are limited for this host, and what goes through a tunnel cannot be seen.
    Tunnel(Pattern),
    /// No address of it is the internet's.
    Private,
    /// The number of bytes is used up.
    Bytes,
}

impl Policy {
    /// Nothing.
    pub fn none() -> Self {
        Self {
            mode: Mode::None,
            allow: Vec::new(),
            deny: Vec::new(),
            methods: Vec::new(),
            max_bytes: None,
            max_connections: MOST_CONNECTIONS,
        }
    }

    /// Whether nothing can be reached by it.
    pub fn is_nothing(&self) -> bool {
        self.mode == Mode::None || self.allow.is_empty()
    }

    /// Whether a policy may have `count` connections at once.
    pub fn may_have_connections(count: u32) -> bool {
        (1..=MOST_CONNECTIONS).contains(&count)
    }

    /// Whether `destination` may be connected to for some purpose.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn reaches(&self, destination: &Destination) -> Result<(), Rule> {
        if self.mode == Mode::None {
            return Err(Rule::Off);
        }
        self.denies(destination)?;
        let allowed = self.allow.iter().any(|pattern| pattern.matches(destination));
        allowed.then_some(()).ok_or(Rule::NotAllowed)
    }

    /// Whether `deny` has `destination`.
    ///
    /// # Errors
    /// [`Rule::Denied`].
    pub fn denies(&self, destination: &Destination) -> Result<(), Rule> {
        let denied = self.deny.iter().find(|pattern| pattern.concerns(destination));
        denied.map_or(Ok(()), |pattern| Err(Rule::Denied(pattern.clone())))
    }

    /// Whether `destination` may be connected to, to send a request with `method` or, without one, to pass on
    /// whatever comes.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn allows(&self, destination: &Destination, method: Option<&str>) -> Result<(), Rule> {
        self.reaches(destination)?;
        // All lists that concern it must have the method.
        for (pattern, methods) in &self.methods {
            if !pattern.concerns(destination) {
                continue;
            }
            match method {
                None => return Err(Rule::Tunnel(pattern.clone())),
                Some(method) if methods.iter().any(|one| one.as_str() == method) => {}
                Some(_) => return Err(Rule::Method(pattern.clone())),
            }
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("the network of this session is off (mode none)"),
            Self::NotAllowed => {
                formatter.write_str("it is not in the \"allow\" list of the network policy")
            }
            Self::Denied(pattern) => {
                write!(formatter, "\"deny\" of the network policy has {pattern}")
            }
            Self::Operator => formatter.write_str("the operator does not allow it (EGRESS_ALLOW)"),
            Self::Method(pattern) => {
                write!(
                    formatter,
                    "\"methods\" of the network policy does not have this one for {pattern}"
                )
            }
            Self::Tunnel(pattern) => write!(
                formatter,
                "\"methods\" of the network policy limits {pattern}, so that only plain requests \
                 (http://), which can be checked, go there"
            ),
            Self::Private => formatter.write_str(
                "it has no public address, and the operator does not name it in \
                 EGRESS_PRIVATE_HOSTS",
            ),
            Self::Bytes => formatter.write_str("\"max_bytes\" of the network policy is used up"),
        }
    }
}

impl Rule {
    /// One word, for records.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotAllowed => "not_allowed",
            Self::Denied(_) => "denied",
            Self::Operator => "operator",
            Self::Method(_) => "method",
            Self::Tunnel(_) => "tunnel",
            Self::Private => "private_address",
            Self::Bytes => "max_bytes",
        }
    }

    /// Who can change it.
    pub fn changed_by(&self) -> &'static str {
        match self {
            Self::Operator | Self::Private => "the operator of this service",
            _ => "whoever has started the session or run, by its \"network\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::Host;
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().expect("a pattern")).collect()
    }

    fn policy(allow: &[&str], deny: &[&str]) -> Policy {
        let (allow, deny) = (patterns(allow), patterns(deny));
        Policy { mode: Mode::Allow, allow, deny, ..Policy::none() }
    }

    fn to(host: &str, port: u16) -> Destination {
        Destination { host: Host::parse(host).expect("a host"), port }
    }

    #[test]
    fn what_is_not_allowed_is_refused() {
        let policy = policy(&["*.a.org", "b.org:8080"], &["x.a.org"]);
        assert_eq!(policy.allows(&to("w.a.org", 443), None), Ok(()));
        assert_eq!(policy.allows(&to("b.org", 8080), Some("GET")), Ok(()));
        assert_eq!(policy.allows(&to("b.org", 443), None), Err(Rule::NotAllowed));
        assert_eq!(policy.allows(&to("a.org", 443), None), Err(Rule::NotAllowed));
        let denied = policy.allows(&to("x.a.org", 443), None);
        assert_eq!(denied.map_err(|rule| rule.name()), Err("denied"));
        assert_eq!(Policy::none().allows(&to("b.org", 443), None), Err(Rule::Off));
    }

    #[test]
    fn a_host_is_denied_at_each_of_its_ports_unless_one_is_named() {
        let whole = policy(&["a.org:8080"], &["a.org"]);
        assert!(whole.allows(&to("a.org", 8080), None).is_err());
        let one = policy(&["a.org:8080", "a.org"], &["a.org:8080"]);
        assert!(one.allows(&to("a.org", 8080), None).is_err());
        assert_eq!(one.allows(&to("a.org", 443), None), Ok(()));
    }

    #[test]
    fn limited_methods_are_not_passed_by_a_tunnel() {
        let get = vec![Method::parse("GET").expect("a method")];
        let methods = vec![("a.org".parse().expect("a pattern"), get)];
        let policy = Policy { methods, ..policy(&["a.org", "b.org"], &[]) };
        assert_eq!(policy.allows(&to("a.org", 80), Some("GET")), Ok(()));
        for method in [Some("POST"), Some("get"), Some("CONNECT"), None] {
            assert!(policy.allows(&to("a.org", 80), method).is_err(), "{method:?}");
        }
        assert_eq!(policy.allows(&to("b.org", 80), None), Ok(()));
    }

    #[test]
    fn methods_are_capital_letters() {
        for text in ["", "get", "GET ", "CONNECT", "G\r\n", &"A".repeat(18)] {
            assert!(Method::parse(text).is_none(), "{text:?}");
        }
        assert!(Method::parse("M-SEARCH").is_some());
    }
}
