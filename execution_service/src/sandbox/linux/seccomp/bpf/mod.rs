//! Builds the seccomp program: a binary tree over the system call numbers, which the kernel loads
//! and walks several times faster than the linear list that most generators emit.
//!
//! ```text
//! wrong architecture → kill        x32 bit → kill
//! number ≥ m ? right half : left half    … until one interval of one action is left
//! allow | errno | argument check
//! ```

#[cfg(test)]
pub(super) mod tests;

use libc::sock_filter;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes through.
    Allow,
    /// It fails with this error number.
    Errno(i32),
    /// It goes through if its arguments pass.
    Check(Check),
}

/// Conditions on arguments; only the low 32 bits are looked at, as the kernel itself does for these
/// arguments (an `int` or a command word).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// `clone(flags, …)`: none of `namespaces`, and descriptors shared only by threads of one process. A process
    /// that has gone leaves what it locked to those that it shared them with, and nobody could tell whose it is.
    Clone { namespaces: u32 },
    /// Argument `index` must be one of `values`; otherwise the call fails with `errno`.
    OneOf { index: u32, values: &'static [u32], errno: i32 },
    /// Argument `index` must be none of `values`.
    NoneOf { index: u32, values: &'static [u32] },
    /// Argument `index` must have none of `bits`; otherwise the call fails with `errno`.
    WithoutBits { index: u32, bits: u32, errno: i32 },
    /// `fcntl(descriptor, command, …)`: only these commands, and F_SETFL without any of these flags.
    Descriptor { commands: &'static [u32], flags: u32 },
    /// All of these arguments must be 0.
    Zeroes { indices: &'static [u32] },
    /// `socket(domain, type, protocol)`: only these domains and protocols; streams and datagrams,
    /// and sequenced packets within the machine. For other types Linux looks for a module, whatever the protocol.
    Socket { domains: &'static [u32], protocols: &'static [u32] },
    /// `setsockopt(socket, level, name, …)`: only these names, at these levels. Setting one that is `kept`
    /// succeeds and does nothing.
    Options { kept: &'static [Level], levels: &'static [Level] },
}

/// Options of sockets that mean something together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// `SOL_SOCKET` or a protocol.
    pub level: u32,
    /// By their numbers.
    pub names: &'static [u32],
}

/// All numbers from here up to the next rule's start get one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First number.
    pub start: u32,
    /// What happens.
    pub action: Action,
}

#[cfg(target_arch = "x86_64")]
pub(super) const AUDIT_ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
pub(super) const AUDIT_ARCH: u32 = 0xC000_00B7;

/// Calls with this bit are of the x32 ABI on x86-64; no other ABI uses numbers so high.
pub(super) const X32_BIT: u32 = 0x4000_0000;

const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;
const OFFSET_ARGS: u32 = 16;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

fn op(code: u16, k: u32) -> sock_filter {
    branch(code, k, 0, 0)
}

fn branch(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

fn allow() -> sock_filter {
    op(RETURN, libc::SECCOMP_RET_ALLOW)
}

fn errno(number: i32) -> sock_filter {
    op(RETURN, libc::SECCOMP_RET_ERRNO | (number.cast_unsigned() & 0xFFFF))
}

/// The whole program. `intervals` are sorted by `start`, and the first one starts at 0.
pub fn compile(intervals: &[Interval]) -> Vec<sock_filter> {
    let kill = op(RETURN, libc::SECCOMP_RET_KILL_PROCESS);
    let mut program = vec![
        op(LOAD, OFFSET_ARCH),
        branch(EQUAL, AUDIT_ARCH, 1, 0),
        kill,
        op(LOAD, OFFSET_NUMBER),
        branch(AT_LEAST, X32_BIT, 0, 1),
        kill,
    ];
    program.extend(tree(intervals));
    program
}

fn tree(intervals: &[Interval]) -> Vec<sock_filter> {
    if let [only] = intervals {
        return leaf(only.action);
    }
    let (left, right) = intervals.split_at(intervals.len() / 2);
    let pivot = right[0].start;
    let left = tree(left);
    let right = tree(right);
    // A conditional jump reaches 255 instructions; an unconditional one reaches any.
    let mut program = vec![
        branch(AT_LEAST, pivot, 0, 1),
        op(JUMP, u32::try_from(left.len()).unwrap_or(u32::MAX)),
    ];
    program.extend(left);
    program.extend(right);
    program
}

fn leaf(action: Action) -> Vec<sock_filter> {
    match action {
        Action::Allow => vec![allow()],
        Action::Errno(number) => vec![errno(number)],
        Action::Check(Check::Clone { namespaces }) => {
            const FILES: u32 = libc::CLONE_FILES.cast_unsigned();
            const THREAD: u32 = libc::CLONE_THREAD.cast_unsigned();
            vec![
                argument(0),
                branch(ANY_BIT, namespaces, 3, 0),
                op(AND, FILES | THREAD),
                branch(EQUAL, FILES, 1, 0),
                allow(),
                errno(libc::EPERM),
            ]
        }
        Action::Check(Check::OneOf { index, values, errno: number }) => {
            let mut program = vec![argument(index)];
            program.extend(any_of(values));
            program.extend([errno(number), allow()]);
            program
        }
        Action::Check(Check::NoneOf { index, values }) => {
            let mut program = vec![argument(index)];
            program.extend(any_of(values));
            program.extend([allow(), errno(libc::EPERM)]);
            program
        }
        Action::Check(Check::WithoutBits { index, bits, errno: number }) => {
            vec![argument(index), branch(ANY_BIT, bits, 1, 0), allow(), errno(number)]
        }
        Action::Check(Check::Descriptor { commands, flags }) => {
            let mut program = vec![
                argument(1),
                branch(EQUAL, libc::F_SETFL.cast_unsigned(), 0, 4),
                argument(2),
                branch(ANY_BIT, flags, 1, 0),
                allow(),
                errno(libc::EINVAL),
            ];
            program.extend(any_of(commands));
            program.extend([errno(libc::EINVAL), allow()]);
            program
        }
        Action::Check(Check::Zeroes { indices }) => {
            let mut program = Vec::new();
            for index in indices {
                program.extend([argument(*index), branch(EQUAL, 0, 1, 0), errno(libc::EPERM)]);
            }
            program.push(allow());
            program
        }
        Action::Check(Check::Socket { domains, protocols }) => {
            let mut program = vec![argument(0)];
            program.extend(any_of(domains));
            program.push(errno(libc::EAFNOSUPPORT));
            program.push(argument(2));
            program.extend(any_of(protocols));
            program.push(errno(libc::EPROTONOSUPPORT));
            const TYPE_MASK: u32 = 0xF;
            program.extend([
                argument(1),
                op(AND, TYPE_MASK),
                branch(EQUAL, libc::SOCK_STREAM.cast_unsigned(), 4, 0),
                branch(EQUAL, libc::SOCK_DGRAM.cast_unsigned(), 3, 0),
                branch(EQUAL, libc::SOCK_SEQPACKET.cast_unsigned(), 0, 3),
                argument(0),
                branch(EQUAL, libc::AF_UNIX.cast_unsigned(), 0, 1),
                allow(),
                errno(libc::EPERM),
            ]);
            program
        }
        Action::Check(Check::Options { kept, levels }) => {
            let mut program = Vec::new();
            for level in kept {
                let otherwise = branch(EQUAL, 0, 1, 1);
                program.extend(at(*level, [otherwise, errno(0)]));
            }
            for level in levels {
                program.extend(at(*level, [errno(libc::ENOPROTOOPT), allow()]));
            }
            program.push(errno(libc::ENOPROTOOPT));
            program
        }
    }
}

/// Goes on behind this for another level; at this one, with the first of the two instructions for another name
/// and with the second for one of these.
fn at(Level { level, names }: Level, [other, one_of_these]: [sock_filter; 2]) -> Vec<sock_filter> {
    let mut here = vec![argument(2)];
    here.extend(any_of(names));
    here.extend([other, one_of_these]);
    let past = u8::try_from(here.len()).unwrap_or(u8::MAX);
    let mut program = vec![argument(1), branch(EQUAL, level, 0, past)];
    program.extend(here);
    program
}

fn argument(index: u32) -> sock_filter {
    op(LOAD, OFFSET_ARGS + 8 * index)
}

/// Falls through to the instruction after the next one if the accumulator is one of `values`, and to
/// the next one if it is none of them.
fn any_of(values: &[u32]) -> Vec<sock_filter> {
    let count = values.len();
    values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let past_the_list = u8::try_from(count - index).unwrap_or(u8::MAX);
            branch(EQUAL, *value, past_the_list, 0)
        })
        .collect()
}
