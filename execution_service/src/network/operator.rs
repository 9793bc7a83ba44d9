//! What the operator lets anybody reach.

use std::net::IpAddr;
use std::str::FromStr;

use super::name::Destination;
use super::pattern::Pattern;
use super::policy::{Policy, Rule};

/// The operator's word on the network. Nobody's policy allows more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// What policies may allow; nothing where it is empty.
    pub allow: Vec<Pattern>,
    /// Hosts that may be reached although their addresses are not public.
    pub private: Vec<PrivateHost>,
}

/// A host of the operator's own network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateHost {
    /// Which one, or which ones.
    pub pattern: Pattern,
    /// Where it is, in place of what the host's resolver says.
    pub address: Option<IpAddr>,
}

impl FromStr for PrivateHost {
    type Err = String;

    /// `pattern` or `name=address`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (pattern, address) = match text.split_once('=') {
            Some((pattern, address)) => {
                let no_address = || format!("{address:?} is no address");
                (pattern, Some(address.parse().map_err(|_| no_address())?))
            }
            None => (text, None),
        };
        let pattern = pattern.parse::<Pattern>().map_err(|error| format!("{text:?} {error}"))?;
        Ok(Self { pattern, address })
    }
}

impl Operator {
    /// Whether any policy can allow anything.
    pub fn allows_nothing(&self) -> bool {
        self.allow.is_empty()
    }

    /// Whether `policy` allows no more than the operator does.
    ///
    /// # Errors
    /// The number of the first pattern of its `allow` that is beyond that.
    pub fn covers(&self, policy: &Policy) -> Result<(), usize> {
        let beyond = policy.allow.iter().position(|pattern| {
            // One of ours must cover it all by itself: that is easily understood.
            !self.allow.iter().any(|own| own.covers(pattern))
        });
        beyond.map_or(Ok(()), Err)
    }

    /// Whether anybody may connect to `destination`.
    ///
    /// # Errors
    /// [`Rule::Operator`].
    pub fn allows(&self, destination: &Destination) -> Result<(), Rule> {
        let allowed = self.allow.iter().any(|pattern| pattern.matches(destination));
        allowed.then_some(()).ok_or(Rule::Operator)
    }

    /// Whether a host may have an address that is not public, at this port.
    pub fn exempts(&self, destination: &Destination) -> bool {
        self.private.iter().any(|private| private.pattern.concerns(destination))
    }

    /// Where the operator says that a host is.
    pub fn address_of(&self, destination: &Destination) -> Option<IpAddr> {
        let named = self.private.iter().filter(|private| private.pattern.concerns(destination));
        named.filter_map(|private| private.address).next()
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::Host;
    use super::super::policy::Mode;
    use super::*;

    #[test]
    fn a_policy_can_only_ask_for_less() {
        let pattern = |text: &str| text.parse::<Pattern>().expect("a pattern");
        let operator =
            Operator { allow: vec![pattern("*.a.org"), pattern("b.org:99")], private: Vec::new() };
        let ask = |texts: &[&str]| {
            let allow = texts.iter().map(|text| pattern(text)).collect();
            operator.covers(&Policy { mode: Mode::Allow, allow, ..Policy::none() })
        };
        assert_eq!(ask(&["x.a.org", "*.y.a.org", "b.org:99"]), Ok(()));
        assert_eq!(ask(&[]), Ok(()));
        assert_eq!(ask(&["x.a.org", "a.org"]), Err(1));
        assert_eq!(ask(&["b.org"]), Err(0));
        assert_eq!(Operator::default().covers(&Policy::none()), Ok(()));
    }

    #[test]
    fn private_hosts_are_exempt_by_name() {
        let private = ["models", "*.corp.example", "db=10.0.0.5", "one:8080=10.0.0.6"];
        let private = private.iter().map(|text| text.parse().expect("a host")).collect();
        let operator = Operator { allow: Vec::new(), private };
        let at = |text: &str, port| Destination { host: Host::parse(text).expect("a host"), port };
        for exempt in [at("models", 443), at("a.corp.example", 8080), at("one", 8080)] {
            assert!(operator.exempts(&exempt), "{exempt}");
        }
        for other in [at("10.0.0.5", 443), at("other", 443), at("one", 443)] {
            assert!(!operator.exempts(&other), "{other}");
        }
        assert_eq!(operator.address_of(&at("db", 80)), Some([10, 0, 0, 5].into()));
        assert_eq!(operator.address_of(&at("models", 80)), None);
        assert_eq!(operator.address_of(&at("one", 80)), None);
        assert!("a=b".parse::<PrivateHost>().is_err() && "a*".parse::<PrivateHost>().is_err());
    }
}
