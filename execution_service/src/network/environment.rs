//! What programs are told of the way out, by the variables that they look for.

use std::collections::BTreeMap;
use std::path::Path;

/// Names of the variables for a proxy. Some programs read one spelling only, and some (curl, of plain requests) not
/// the other. Also what is not HTTP goes by the HTTP proxy: httpx and gRPC do not speak SOCKS unless they are told how.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
/// Hosts that are in the sandbox.
const INSIDE: &str = "localhost,127.0.0.1,::1";
/// Where hosts have the certificates that they believe, all in one file; sandboxes see both places.
const BUNDLES: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
/// For programs that bring certificates of their own, and would not believe a company's.
const BUNDLE_OF: [&str; 7] = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "NODE_EXTRA_CA_CERTS",
];

/// The variables of programs in a sandbox whose way out is at `port` of its loopback.
pub fn proxy_variables(port: u16) -> BTreeMap<String, String> {
    let proxy = format!("http://127.0.0.1:{port}");
    let mut all = BTreeMap::new();
    let mut set = |name: &str, value: &str| all.insert(String::from(name), String::from(value));
    for name in PROXIES {
        set(name, &proxy);
    }
    set("NO_PROXY", INSIDE);
    set("no_proxy", INSIDE);
    // Node's fetch and http look at the others only if they are told to, from Node 22.21 and 24 on.
    set("NODE_USE_ENV_PROXY", "1");
    if let Some(bundle) = BUNDLES.into_iter().find(|bundle| Path::new(bundle).is_file()) {
        for name in BUNDLE_OF {
            set(name, bundle);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_in_every_spelling() {
        let all = proxy_variables(3128);
        for name in ["HTTPS_PROXY", "http_proxy", "all_proxy"] {
            assert_eq!(all[name], "http://127.0.0.1:3128", "{name}");
        }
        assert!(all["no_proxy"].contains("localhost"));
    }
}
