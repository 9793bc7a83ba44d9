//! Where an answer is sent, and which hosts the operator allows.

use std::net::{IpAddr, SocketAddr};

use hyper::Uri;

use super::address::is_public;

/// Longest URL, in bytes.
pub const MAX_URL: usize = 2048;

/// A URL in its parts.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// With the query. It may hold what only its owner should know.
    pub(super) path: String,
}

impl Target {
    /// A URL of `http` or `https`, without a user.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_URL || text.contains('#') {
            return None;
        }
        let uri: Uri = text.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => Self::usual_port(tls),
            port => port.strip_prefix(':')?.parse().ok().filter(|port| *port != 0)?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = host.to_ascii_lowercase();
        (!host.is_empty()).then(|| Self { tls, host, port, path: path.to_owned() })
    }

    fn usual_port(tls: bool) -> u16 {
        if tls { 443 } else { 80 }
    }

    /// As the `Host` header has it.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// A host that the operator allows: `hooks.example.org`, `*.example.org`, either with `:port`, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    name: String,
    /// All that are below it, and not itself.
    below: bool,
    /// Absent for the usual one of the scheme.
    port: Option<u16>,
}

impl AllowedHost {
    /// As it stands in the setting.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Some(Self { name: address.to_string(), below: false, port: None });
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            let (name, port) = (address.ip().to_string(), Some(address.port()));
            return Some(Self { name, below: false, port });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (&*text, None),
        };
        let (name, below) = match name.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let sane = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let is_name = !name.is_empty() && name.chars().all(sane) && !name.starts_with('.');
        is_name.then(|| Self { name: name.to_owned(), below, port })
    }

    pub(super) fn allows(&self, target: &Target) -> bool {
        let Self { name, below, port } = self;
        let host = match target.host.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => target.host.clone(),
        };
        let named = if *below {
            host.strip_suffix(&**name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == *name
        };
        named && target.port == port.unwrap_or(Target::usual_port(target.tls))
    }

    /// Whether it is this very address: then it may be one of the operator's own network.
    fn is(&self, address: IpAddr) -> bool {
        !self.below && self.name == address.to_string()
    }
}

/// Of `addresses` that a name has, the first that may be sent to.
pub(super) fn reachable(
    addresses: impl IntoIterator<Item = SocketAddr>,
    allowed: &[AllowedHost],
) -> Option<SocketAddr> {
    let may = |address: &SocketAddr| {
        is_public(address.ip()) || allowed.iter().any(|host| host.is(address.ip()))
    };
    addresses.into_iter().find(may)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(hosts: &[&str], url: &str) -> bool {
        let target = Target::parse(url).expect(url);
        hosts.iter().any(|host| AllowedHost::parse(host).expect(host).allows(&target))
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("https://Hooks.Example.org/in?key=1").unwrap();
        assert_eq!((target.tls, &*target.host, target.port), (true, "hooks.example.org", 443));
        assert_eq!(target.path, "/in?key=1");
        let v6 = Target::parse("http://[2606:4700::1111]:8080").unwrap();
        assert_eq!((&*v6.authority(), &*v6.path), ("[2606:4700::1111]:8080", "/"));
        for wrong in [
            "",
            "x",
            "/x",
            "ftp://x/",
            "https://",
            "https://u:p@x/",
            "https://x:0/",
            "https://x:/",
            "https://x:99999/",
            "https://x/#f",
            "file:///etc/passwd",
            "https://a b/",
        ] {
            assert!(Target::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Target::parse(&format!("https://x/{}", "y".repeat(MAX_URL))).is_none());
    }

    #[test]
    fn only_what_is_named_is_allowed() {
        assert!(allows(&["hooks.example.org"], "https://HOOKS.example.org/x"));
        assert!(!allows(&["hooks.example.org"], "https://hooks.example.org:8443/"));
        assert!(allows(&["hooks.example.org:8443"], "https://hooks.example.org:8443/"));
        assert!(allows(&["*.example.org"], "http://a.b.example.org/"));
        for other in
            ["https://example.org/", "https://notexample.org/", "https://example.org.evil/"]
        {
            assert!(!allows(&["*.example.org"], other), "{other}");
        }
        assert!(allows(&["127.0.0.1:9000"], "http://127.0.0.1:9000/"));
        assert!(!allows(&["*.example.org", "example.org"], "http://127.0.0.1/"));
        for wrong in ["", "*", "https://x", "x/y", "x:port", "*.", ".x"] {
            assert!(AllowedHost::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_leads_to_the_operators_network_is_not_reached_unless_that_is_named() {
        let own: SocketAddr = "169.254.169.254:80".parse().unwrap();
        let public: SocketAddr = "93.184.216.34:80".parse().unwrap();
        let named = |host| AllowedHost::parse(host).unwrap();
        let by_name = [named("hooks.example.org")];
        assert_eq!(reachable([own], &by_name), None);
        assert_eq!(reachable([own, public], &by_name), Some(public));
        let by_address = [named("hooks.example.org"), named("169.254.169.254")];
        assert_eq!(reachable([own], &by_address), Some(own));
    }

    proptest! {
        #[test]
        fn any_text_is_a_target_or_not(text in "(https?://)?[ -~]{0,40}", rule in "[ -~]{0,20}") {
            let target = Target::parse(&text);
            if let (Some(target), Some(rule)) = (target, AllowedHost::parse(&rule)) {
                prop_assert!(!target.host.is_empty() && target.port != 0);
                rule.allows(&target);
            }
        }
    }
}
