//! Network policies, from wire types to ours and back.

use proto::execution_v1 as wire;
use tonic::Status;

use super::status::invalid;
use crate::broker::Log;
use crate::network::{MOST_METHODS, MOST_PATTERNS, Method, Mode, Pattern, Policy, Record, Verdict};

/// What a session or run may reach.
pub fn policy(message: wire::NetworkPolicy) -> Result<Policy, Status> {
    let wire::NetworkPolicy { allowed, allow, deny, methods, max_bytes, max_connections } = message;
    if methods.len() > MOST_METHODS {
        let most = format!("must be at most {MOST_METHODS} hosts");
        return Err(invalid("network.methods", &most));
    }
    let usual = Policy::none().max_connections;
    let max_connections = max_connections.unwrap_or(usual);
    if !Policy::may_have_connections(max_connections) {
        return Err(invalid("network.max_connections", &format!("must be 1 to {usual}")));
    }
    Ok(Policy {
        mode: if allowed { Mode::Allow } else { Mode::None },
        allow: patterns("allow", &allow)?,
        deny: patterns("deny", &deny)?,
        methods: methods.into_iter().map(host_methods).collect::<Result<_, _>>()?,
        max_bytes,
        max_connections,
    })
}

fn patterns(list: &str, texts: &[String]) -> Result<Vec<Pattern>, Status> {
    if texts.len() > MOST_PATTERNS {
        let most = format!("must be at most {MOST_PATTERNS} hosts");
        return Err(invalid(&format!("network.{list}"), &most));
    }
    let numbered = texts.iter().enumerate();
    numbered.map(|(index, text)| pattern(&format!("network.{list}[{index}]"), text)).collect()
}

fn pattern(field: &str, text: &str) -> Result<Pattern, Status> {
    text.parse::<Pattern>().map_err(|error| invalid(field, &error.to_string()))
}

fn host_methods(message: wire::HostMethods) -> Result<(Pattern, Vec<Method>), Status> {
    let wire::HostMethods { host, methods } = message;
    let field = format!("network.methods.{host}");
    let parsed: Option<Vec<_>> = methods.iter().map(|method| Method::parse(method)).collect();
    match parsed {
        Some(parsed) if (1..=MOST_METHODS).contains(&parsed.len()) => {
            Ok((pattern(&field, &host)?, parsed))
        }
        Some(_) | None => {
            let text = format!("must be 1 to {MOST_METHODS} methods of HTTP, in capital letters");
            Err(invalid(&field, &text))
        }
    }
}

/// What a session may reach.
pub fn told(policy: &Policy) -> wire::NetworkPolicy {
    let texts = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect();
    let methods = policy.methods.iter().map(|(host, methods)| wire::HostMethods {
        host: host.to_string(),
        methods: methods.iter().map(|method| String::from(method.as_str())).collect(),
    });
    wire::NetworkPolicy {
        allowed: policy.mode == Mode::Allow,
        allow: texts(&policy.allow),
        deny: texts(&policy.deny),
        methods: methods.collect(),
        max_bytes: policy.max_bytes,
        max_connections: Some(policy.max_connections),
    }
}

/// What was connected to.
pub fn log(log: Log) -> wire::NetworkLog {
    let Log { records, forgotten } = log;
    wire::NetworkLog { connections: records.into_iter().map(connection).collect(), forgotten }
}

fn connection(record: Record) -> wire::NetworkConnection {
    let Record { at_ms, host, port, sent, received, verdict } = record;
    let (verdict, reason) = match verdict {
        Verdict::Allowed => ("allowed", String::new()),
        Verdict::Cut(why) => ("cut", why),
        Verdict::Refused(why) => ("refused", why),
        Verdict::Failed(why) => ("failed", why),
    };
    wire::NetworkConnection {
        at_ms: i64::try_from(at_ms).unwrap_or(i64::MAX),
        host,
        port: u32::from(port),
        sent,
        received,
        verdict: String::from(verdict),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn host() -> impl Strategy<Value = String> {
        prop_oneof!["\\PC{0,20}", "(\\*\\.)?[a-z]{1,5}(\\.[a-z]{1,5}){0,2}(:[0-9]{1,6})?"]
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_told_again(allow in vec(host(), 0..4), deny in vec(host(), 0..4),
            hosts in vec((host(), vec("[A-Z]{0,4}|.*", 0..3)), 0..2),
            max_bytes in any::<Option<u64>>(), max_connections in any::<Option<u32>>()) {
            let methods = hosts.into_iter().map(|(host, methods)| wire::HostMethods { host, methods });
            let methods = methods.collect();
            let message =
                wire::NetworkPolicy { allowed: true, allow, deny, methods, max_bytes, max_connections };
            match policy(message) {
                Ok(policy) => {
                    let again = super::policy(told(&policy));
                    prop_assert_eq!(again.map_err(|status| status.code()), Ok(policy));
                }
                Err(refused) => prop_assert_eq!(refused.code(), tonic::Code::InvalidArgument),
            }
        }
    }

    #[test]
    fn a_policy_has_bounds() {
        let refused = |message: wire::NetworkPolicy| policy(message).is_err();
        let many = vec![String::from("a.org"); MOST_PATTERNS + 1];
        assert!(refused(wire::NetworkPolicy { allow: many.clone(), ..Default::default() }));
        assert!(refused(wire::NetworkPolicy { deny: many, ..Default::default() }));
        assert!(refused(wire::NetworkPolicy { max_connections: Some(0), ..Default::default() }));
        assert!(refused(wire::NetworkPolicy { max_connections: Some(65), ..Default::default() }));
        let none = wire::HostMethods { host: String::from("a.org"), methods: Vec::new() };
        assert!(refused(wire::NetworkPolicy { methods: vec![none], ..Default::default() }));
        assert_eq!(policy(wire::NetworkPolicy::default()).map(|it| it.mode).ok(), Some(Mode::None));
    }
}
