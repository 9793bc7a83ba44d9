//! Network policies and connections, as requests and answers spell them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::schema::{hosts_schema, methods_schema, mode_schema, secrets_schema};
use crate::domain::field_error::{FieldError, FieldErrors};
use crate::domain::network::{
    Connection, MAX_CONNECTIONS, MAX_HOST, MAX_HOSTS, MAX_METHODS, NetworkLog, NetworkPolicy,
};
use crate::http::rest::fields::{integer, timestamp, words};

/// What programs may reach: nothing, unless it is allowed here and by the operator.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"mode": "allow", "allow": ["example.com", "*.example.org"]}))]
pub struct NetworkBody {
    /// `none`: nothing, whatever the lists say; `allow`, as without it: what `allow` lists.
    #[schema(schema_with = mode_schema)]
    pub mode: Option<String>,
    /// Hosts: `example.com`, `*.example.com` (what is below it, and not it), `example.com:8443` (without a port, 443
    /// and 80 are meant), an address, or `*`; at most 64.
    #[schema(schema_with = hosts_schema)]
    pub allow: Option<Vec<String>>,
    /// Hosts that are refused although they are allowed; at most 64.
    #[schema(schema_with = hosts_schema)]
    pub deny: Option<Vec<String>>,
    /// Hosts that only plain requests (`http://`) with these methods go to; at most 16.
    #[schema(schema_with = methods_schema)]
    pub methods: Option<BTreeMap<String, Vec<String>>>,
    /// Must be empty: this version puts no secrets into requests.
    #[schema(schema_with = secrets_schema)]
    pub secrets: Option<Vec<Value>>,
    /// Bytes of all connections together, both ways; any number when left out.
    #[serde(default, deserialize_with = "integer::optional_u64")]
    #[schema(minimum = 0)]
    pub max_bytes: Option<u64>,
    /// Connections at once: 1 to 64, which is the default; more wait.
    #[serde(default, deserialize_with = "integer::optional_u32")]
    #[schema(minimum = 1, maximum = 64)]
    pub max_connections: Option<u32>,
}

impl NetworkBody {
    /// Checks everything at once but how a host is written, which the worker does.
    pub(in crate::http::rest) fn parse(self, errors: &mut FieldErrors) -> NetworkPolicy {
        let Self { mode, allow, deny, methods, secrets, max_bytes, max_connections } = self;
        let allowed = match mode.as_deref() {
            None | Some("allow") => true,
            Some("none") => false,
            Some(_) => {
                errors.push("network.mode", "must be none or allow");
                false
            }
        };
        if secrets.is_some_and(|secrets| !secrets.is_empty()) {
            let told = "must be empty: this version puts no secrets into requests; send them from \
                        outside of the sandbox";
            errors.push("network.secrets", told);
        }
        if max_connections.is_some_and(|most| !(1..=MAX_CONNECTIONS).contains(&most)) {
            errors.push("network.max_connections", format!("must be 1 to {MAX_CONNECTIONS}"));
        }
        NetworkPolicy {
            allowed,
            allow: hosts("network.allow", allow.unwrap_or_default(), errors),
            deny: hosts("network.deny", deny.unwrap_or_default(), errors),
            methods: self::methods(methods.unwrap_or_default(), errors),
            max_bytes,
            max_connections,
        }
    }

    /// The same, of a body that is nothing else.
    ///
    /// # Errors
    /// What is wrong with which field.
    pub(in crate::http::rest) fn parse_alone(self) -> Result<NetworkPolicy, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let policy = self.parse(&mut errors);
        errors.finish(Some(policy))
    }
}

fn hosts(field: &str, hosts: Vec<String>, errors: &mut FieldErrors) -> Vec<String> {
    if hosts.len() > MAX_HOSTS {
        errors.push(field, format!("must have at most {MAX_HOSTS} hosts"));
        return Vec::new();
    }
    for (index, host) in hosts.iter().enumerate() {
        if !is_written(host) {
            errors.push(format!("{field}[{index}]"), host_rule());
        }
    }
    hosts
}

fn methods(
    methods: BTreeMap<String, Vec<String>>,
    errors: &mut FieldErrors,
) -> Vec<(String, Vec<String>)> {
    if methods.len() > MAX_METHODS {
        errors.push("network.methods", format!("must have at most {MAX_METHODS} hosts"));
        return Vec::new();
    }
    let is_method = |text: &String| {
        let plain = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        (1..=17).contains(&text.len()) && plain && text != "CONNECT"
    };
    for (host, list) in &methods {
        if !is_written(host) {
            errors.push("network.methods", host_rule());
        } else if !(1..=MAX_METHODS).contains(&list.len()) || !list.iter().all(is_method) {
            let rule = format!("must be 1 to {MAX_METHODS} methods of HTTP, in capital letters");
            errors.push(format!("network.methods.{host}"), rule);
        }
    }
    methods.into_iter().collect()
}

/// Whether the worker can be asked whether it is a host.
fn is_written(host: &str) -> bool {
    (1..=MAX_HOST).contains(&host.chars().count()) && !host.chars().any(char::is_control)
}

fn host_rule() -> String {
    format!("must have 1 to {MAX_HOST} characters and no control characters")
}

/// What programs may reach.
#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkAnswer {
    /// `none`: nothing, whatever the lists say; `allow`: what `allow` lists.
    #[schema(schema_with = words::network_mode)]
    pub mode: &'static str,
    /// Hosts, in the form in which they are compared.
    pub allow: Vec<String>,
    /// Hosts that are refused although they are allowed.
    pub deny: Vec<String>,
    /// Hosts that only plain requests with these methods go to.
    #[schema(value_type = HashMap<String, Vec<String>>)]
    pub methods: BTreeMap<String, Vec<String>>,
    /// Bytes of all connections together; null for any number.
    #[schema(required)]
    pub max_bytes: Option<u64>,
    /// Connections at once.
    #[schema(required)]
    pub max_connections: Option<u32>,
}

impl NetworkAnswer {
    /// From the domain.
    pub fn of(policy: NetworkPolicy) -> Self {
        let NetworkPolicy { allowed, allow, deny, methods, max_bytes, max_connections } = policy;
        Self {
            mode: if allowed { "allow" } else { "none" },
            allow,
            deny,
            methods: methods.into_iter().collect(),
            max_bytes,
            max_connections,
        }
    }
}

/// What the programs of a session have connected to.
#[derive(Debug, Serialize, ToSchema)]
pub struct NetworkLogAnswer {
    /// Connections that are over or were refused, the oldest first: the last 256.
    #[schema(max_items = 256)]
    pub connections: Vec<ConnectionAnswer>,
    /// How many older ones are forgotten.
    pub forgotten: u64,
}

/// One connection. What went over it is never kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionAnswer {
    /// When it ended or was refused.
    #[schema(format = DateTime)]
    pub at: String,
    /// As it was asked for.
    #[schema(example = "example.com")]
    pub host: String,
    /// Of the host.
    #[schema(example = 443)]
    pub port: u32,
    /// Bytes that went out.
    pub sent: u64,
    /// Bytes that came.
    pub received: u64,
    /// What became of it.
    #[schema(schema_with = words::connection_verdict)]
    pub verdict: &'static str,
    /// By which rule it was cut or refused, or why it failed; null otherwise.
    #[schema(required)]
    pub reason: Option<String>,
}

impl NetworkLogAnswer {
    /// From the domain.
    pub fn of(log: NetworkLog) -> Self {
        let NetworkLog { connections, forgotten } = log;
        Self { connections: connections.into_iter().map(ConnectionAnswer::of).collect(), forgotten }
    }
}

impl ConnectionAnswer {
    fn of(connection: Connection) -> Self {
        let Connection { at, host, port, sent, received, verdict, reason } = connection;
        let (at, verdict) = (timestamp::write(at), verdict.name());
        Self { at, host, port, sent, received, verdict, reason }
    }
}
