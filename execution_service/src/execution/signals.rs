//! Names of signals, as `signal(7)` has them; the numbers are those of every Linux that we support.

/// Cannot be caught.
pub const SIGKILL: i32 = 9;
/// Of a process whose memory was not to be had when it could not do without.
pub const FATAL: [i32; 5] = [4, 5, 6, 7, 11];
/// A file grew beyond its limit.
pub const SIGXFSZ: i32 = 25;

struct Known {
    number: i32,
    name: &'static str,
    description: &'static str,
    hint: Option<&'static str>,
}

const fn known(number: i32, name: &'static str, description: &'static str) -> Known {
    Known { number, name, description, hint: None }
}

const KNOWN: &[Known] = &[
    Known {
        hint: Some("an invalid pointer, an index out of bounds, or endless recursion"),
        ..known(11, "SIGSEGV", "segmentation fault")
    },
    Known {
        hint: Some("a failed assertion, a damaged heap, or an explicit abort()"),
        ..known(6, "SIGABRT", "aborted")
    },
    Known {
        hint: Some("an integer division by zero, or an overflowing one"),
        ..known(8, "SIGFPE", "arithmetic error")
    },
    Known {
        hint: Some("a system call of another architecture, which is not allowed here"),
        ..known(31, "SIGSYS", "bad system call")
    },
    known(7, "SIGBUS", "bus error"),
    known(4, "SIGILL", "illegal instruction"),
    known(5, "SIGTRAP", "trap"),
    known(9, "SIGKILL", "killed"),
    known(15, "SIGTERM", "terminated"),
    known(2, "SIGINT", "interrupted"),
    known(1, "SIGHUP", "hangup"),
    known(3, "SIGQUIT", "quit"),
    known(13, "SIGPIPE", "broken pipe"),
    known(14, "SIGALRM", "alarm clock"),
    known(10, "SIGUSR1", "user signal 1"),
    known(12, "SIGUSR2", "user signal 2"),
    known(16, "SIGSTKFLT", "stack fault"),
    known(17, "SIGCHLD", "a child has changed"),
    known(18, "SIGCONT", "continued"),
    known(19, "SIGSTOP", "stopped"),
    known(20, "SIGTSTP", "stopped from the terminal"),
    known(21, "SIGTTIN", "reading the terminal from the background"),
    known(22, "SIGTTOU", "writing to the terminal from the background"),
    known(23, "SIGURG", "urgent data"),
    known(24, "SIGXCPU", "processor time limit"),
    known(25, "SIGXFSZ", "file size limit"),
    known(26, "SIGVTALRM", "virtual alarm clock"),
    known(27, "SIGPROF", "profiling timer"),
    known(28, "SIGWINCH", "the terminal has another size"),
    known(29, "SIGIO", "input or output is possible"),
    known(30, "SIGPWR", "power failure"),
];

fn find(number: i32) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.number == number)
}

/// "SIGSEGV".
pub fn name(number: i32) -> String {
    find(number).map_or_else(|| format!("SIG{number}"), |known| String::from(known.name))
}

/// That of "SIGSEGV"; none of the real-time signals has a name.
pub fn number(name: &str) -> Option<i32> {
    KNOWN.iter().find(|known| known.name == name).map(|known| known.number)
}

/// "segmentation fault".
pub fn description(number: i32) -> String {
    find(number).map_or_else(|| format!("signal {number}"), |known| String::from(known.description))
}

/// The usual reasons.
pub fn hint(number: i32) -> Option<&'static str> {
    find(number).and_then(|known| known.hint)
}
