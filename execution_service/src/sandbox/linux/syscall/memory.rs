//! The memory of this process.

#![expect(unsafe_code)]

use std::io;

/// Overwrites this process's command line and initial environment, so that neither `/proc` nor a
/// look into its memory shows what the service was started with. Nothing may read
/// `std::env::args` or `std::env::var` afterwards: they would find empty strings.
pub fn wipe_arguments_and_environment() -> io::Result<()> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is in brackets and may hold anything; the rest is counted from behind it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |number: usize| -> Option<usize> {
        rest.split_ascii_whitespace().nth(number - 3).and_then(|text| text.parse().ok())
    };
    // proc_pid_stat(5): 48 arg_start, 49 arg_end, 50 env_start, 51 env_end.
    for (start, end) in [(field(48), field(49)), (field(50), field(51))] {
        if let (Some(start), Some(end)) = (start, end)
            && start != 0
            && end > start
        {
            let length = end - start;
            // SAFETY: the kernel says that [start, end) is where it laid this process's own
            // argument (environment) strings, on its writable stack; they stay NUL-terminated, as
            // every byte becomes NUL, and this process has one thread.
            unsafe { std::ptr::write_bytes(start as *mut u8, 0, length) };
        }
    }
    Ok(())
}
