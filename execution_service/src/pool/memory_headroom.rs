//! Whether this machine has memory left for more warm sandboxes.

use std::fs;

/// Warm sandboxes may not take the last tenth of the memory: the page cache that makes starts fast and
/// the programs that run need it more.
const KEPT_FREE: u64 = 10;

/// True where it cannot be told.
pub fn is_left() -> bool {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match (kibibytes(&text, "MemAvailable:"), kibibytes(&text, "MemTotal:")) {
        (Some(available), Some(total)) => available > total / KEPT_FREE,
        (None, _) | (_, None) => true,
    }
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::kibibytes;

    #[test]
    fn the_kernels_own_format_is_read() {
        let text = "MemTotal:       24000000 kB\nMemFree: 1 kB\nMemAvailable:   12 kB\n";
        assert_eq!(kibibytes(text, "MemAvailable:"), Some(12));
        assert_eq!(kibibytes(text, "MemTotal:"), Some(24_000_000));
        assert_eq!(kibibytes(text, "Mem:"), None);
    }
}
