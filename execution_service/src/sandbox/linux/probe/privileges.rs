//! What a process may do beyond its own, and how it could come to more.

use super::{Attempt, Outcome, calls, identity, in_child};

/// What is tried to do more than a process may do with its own.
pub const ATTEMPTS: &[Attempt] = &[
    ("capabilities", |_| Outcome::seen(calls::capabilities())),
    ("mark a packet as the administrator of a network", |_| Outcome::of(calls::mark_socket())),
    ("become root", |_| in_child(identity::become_root)),
    ("no_new_privs", |_| Outcome::seen(calls::no_new_privs())),
    ("seccomp mode", |_| Outcome::seen(calls::seccomp_mode())),
];
