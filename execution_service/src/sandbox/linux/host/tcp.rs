//! What the TCP connections of the whole machine hold. The kernel has one bound for all of them, at which those of
//! the host stall as well; and what has come in on a connection that nobody has accepted is in no cgroup's account.

use std::fs;
use std::sync::LazyLock;

use crate::sandbox::linux::host::unaccounted_memory;

/// Nobody is looked at before all hold this part of what the kernel takes for moderate (`tcp_mem`), …
const CROWDED: u64 = 2;
/// … and then nobody may hold more than this part of it.
const SHARE: u64 = 8;

/// The most bytes that one sandbox may hold, now that there is little room; `None` while there is enough, and where
/// it cannot be told.
pub fn share() -> Option<u64> {
    let sockstat = fs::read_to_string("/proc/net/sockstat").ok()?;
    share_of(held(&sockstat)?, moderate()?)
}

/// What the host said when it was first asked; in a container, where it is not to be seen, what Linux makes it by
/// itself (`tcp_init_mem`).
fn moderate() -> Option<u64> {
    static MODERATE: LazyLock<Option<u64>> = LazyLock::new(|| {
        let said = fs::read_to_string("/proc/sys/net/ipv4/tcp_mem").ok();
        let said = said.as_ref().and_then(|said| said.split_whitespace().next());
        let usual = || Some(unaccounted_memory::total()? / unaccounted_memory::page()? / 64 * 3);
        said.map_or_else(usual, |said| said.parse().ok())
    });
    *MODERATE
}

/// In pages, and then in bytes.
fn share_of(held: u64, moderate: u64) -> Option<u64> {
    let page = unaccounted_memory::page()?;
    (held > moderate / CROWDED).then(|| (moderate / SHARE).saturating_mul(page))
}

/// `TCP: inuse 3 orphan 0 tw 0 alloc 4 mem 2`: the last is of all network namespaces, the others of ours.
fn held(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP: "))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_asked_for_when_many_pages_are_held() {
        let page = unaccounted_memory::page().unwrap();
        assert_eq!(share_of(400, 800), None);
        assert_eq!(share_of(401, 800), Some(100 * page));
    }

    #[test]
    fn the_pages_of_all_connections_are_read() {
        let sockstat =
            "sockets: used 17\nTCP: inuse 3 orphan 0 tw 0 alloc 4 mem 25\nUDP: inuse 1 mem 7\n";
        assert_eq!(held(sockstat), Some(25));
        assert_eq!(held("sockets: used 17\n"), None);
    }
}
