//! The program that the kernel gets, against the table that people read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libc as c;
use proptest::prelude::*;

use super::bpf::tests::verdict;
use super::bpf::{AUDIT_ARCH, Action, Check, Level, X32_BIT};
use super::table::{FIRST_UNKNOWN, allowed, checked};
use super::{Confined, Policy, filter, lost_by_programs};

const ERRNO: u32 = c::SECCOMP_RET_ERRNO;
const EPERM: u32 = ERRNO | c::EPERM.cast_unsigned();

/// SOCK_STREAM and SOCK_DGRAM.
const PLAIN_TYPES: [u32; 2] = [1, 2];

/// The architectures that a machine of ours can run code of: i386, ARM, x86-64, 64-bit ARM, RISC-V.
const ARCHITECTURES: [u32; 5] = [0x4000_0003, 0x4000_0028, 0xC000_003E, 0xC000_00B7, 0xC000_00F3];

/// What the words of the table mean for a call.
fn meant(action: Action, args: [u64; 6]) -> u32 {
    let low = |index: u32| (args[index as usize] & 0xFFFF_FFFF) as u32;
    let unless = |refused: bool, number: i32| {
        if refused { ERRNO | number.cast_unsigned() } else { c::SECCOMP_RET_ALLOW }
    };
    match action {
        Action::Allow => c::SECCOMP_RET_ALLOW,
        Action::Errno(number) => ERRNO | number.cast_unsigned(),
        Action::Check(Check::Clone { namespaces }) => {
            let (files, thread) = (c::CLONE_FILES as u32, c::CLONE_THREAD as u32);
            let shares = low(0) & files != 0 && low(0) & thread == 0;
            unless(low(0) & namespaces != 0 || shares, c::EPERM)
        }
        Action::Check(Check::OneOf { index, values, errno }) => {
            unless(!values.contains(&low(index)), errno)
        }
        Action::Check(Check::NoneOf { index, values }) => {
            unless(values.contains(&low(index)), c::EPERM)
        }
        Action::Check(Check::WithoutBits { index, bits, errno }) => {
            unless(low(index) & bits != 0, errno)
        }
        Action::Check(Check::Descriptor { commands, flags }) => {
            let sets = low(1) == c::F_SETFL.cast_unsigned();
            let refused = if sets { low(2) & flags != 0 } else { !commands.contains(&low(1)) };
            unless(refused, c::EINVAL)
        }
        Action::Check(Check::Zeroes { indices }) => {
            unless(indices.iter().any(|index| low(*index) != 0), c::EPERM)
        }
        Action::Check(Check::Socket { domains, protocols }) => {
            if !domains.contains(&low(0)) {
                ERRNO | c::EAFNOSUPPORT.cast_unsigned()
            } else if !protocols.contains(&low(2)) {
                ERRNO | c::EPROTONOSUPPORT.cast_unsigned()
            } else {
                let kind = low(1) & 0xF;
                let sequenced = kind == 5 && low(0) == 1;
                unless(!PLAIN_TYPES.contains(&kind) && !sequenced, c::EPERM)
            }
        }
        Action::Check(Check::Options { kept, levels }) => {
            let among = |levels: &[Level]| {
                levels.iter().any(|at| at.level == low(1) && at.names.contains(&low(2)))
            };
            if among(kept) { ERRNO } else { unless(!among(levels), c::ENOPROTOOPT) }
        }
    }
}

fn table(policy: Policy) -> Table {
    let plain = allowed(policy).map(|call| (call.number, Action::Allow));
    let all = plain.chain(checked(policy));
    all.map(|(number, action)| (u32::try_from(number).expect("a number"), action)).collect()
}

fn expected(table: &Table, number: u32, args: [u64; 6]) -> u32 {
    match table.get(&number) {
        Some(action) => meant(*action, args),
        None if number < FIRST_UNKNOWN => EPERM,
        None => ERRNO | c::ENOSYS.cast_unsigned(),
    }
}

type Table = BTreeMap<u32, Action>;

/// Made once: without a cgroup, and with one.
static MADE: LazyLock<[(Vec<c::sock_filter>, Table); 2]> = LazyLock::new(|| {
    [false, true].map(|memory_cgroup| {
        let policy = of_program(memory_cgroup);
        (filter(policy), table(policy))
    })
});

fn of_program(memory_cgroup: bool) -> Policy {
    Policy { memory_cgroup, of: Confined::Program }
}

/// Numbers at which some check decides, and their neighbours.
fn argument() -> impl Strategy<Value = u64> {
    let telling = prop_oneof![
        0_u64..20,
        Just(0x5412),
        Just(0x541C),
        Just(u64::from(u32::MAX)),
        (0_u32..64).prop_map(|bit| 1 << bit),
    ];
    prop_oneof![
        telling.clone(),
        (telling, any::<u32>()).prop_map(|(low, high)| low ^ u64::from(high) << 32),
        any::<u64>(),
    ]
}

#[test]
fn every_number_is_treated_as_the_table_says() {
    for memory_cgroup in [true, false] {
        let policy = of_program(memory_cgroup);
        let (program, table) = (filter(policy), table(policy));
        for number in (0..1200).chain([X32_BIT - 1]) {
            for args in [[0; 6], [1; 6], [u64::MAX; 6], [2, 1, 6, 0, 0, 0]] {
                let found = verdict(&program, AUDIT_ARCH, number, args);
                assert_eq!(found, expected(&table, number, args), "call {number} with {args:?}");
            }
            for arch in ARCHITECTURES.into_iter().filter(|arch| *arch != AUDIT_ARCH) {
                let found = verdict(&program, arch, number, [0; 6]);
                assert_eq!(found, c::SECCOMP_RET_KILL_PROCESS, "call {number} of {arch:#x}");
            }
        }
    }
}

#[test]
fn what_takes_from_others_is_not_among_the_many_in_one() {
    let (program, _) = &MADE[1];
    let refused = |number: c::c_long, args: [u64; 6], errno: i32| {
        let found = verdict(program, AUDIT_ARCH, number as u32, args);
        assert_eq!(found, ERRNO | errno.cast_unsigned(), "call {number} with {args:?}");
    };
    // SO_ATTACH_FILTER, SO_TIMESTAMP; TCP_MD5SIG, TCP_USER_TIMEOUT; IP_OPTIONS, IP_MINTTL.
    for (level, name) in [(1, 26), (1, 29), (6, 14), (6, 18), (0, 4), (0, 21)] {
        refused(c::SYS_setsockopt, [9, level, name, 0, 0, 0], c::ENOPROTOOPT);
    }
    // PR_SET_SECCOMP, PR_SCHED_CORE, PR_SET_MEMORY_MERGE, PR_SET_VMA.
    for option in [22, 62, 67, 0x5356_4D41] {
        refused(c::SYS_prctl, [option, 1, 0, 0, 0, 0], c::EINVAL);
    }
    // F_SETLEASE, F_NOTIFY, F_OFD_SETLK.
    for command in [1024, 1026, 37] {
        refused(c::SYS_fcntl, [3, command, 0, 0, 0, 0], c::EINVAL);
    }
    // TIOCSTI, SIOCBRADDBR, SIOCGIFBR, SIOCGIFVLAN.
    for command in [0x5412, 0x89A0, 0x8940, 0x8982] {
        refused(c::SYS_ioctl, [0, command, 0, 0, 0, 0], c::EPERM);
    }
    refused(c::SYS_madvise, [0, 4096, 12 /* MADV_MERGEABLE */, 0, 0, 0], c::EINVAL);
    refused(c::SYS_fadvise64, [3, 0, 0, 4 /* POSIX_FADV_DONTNEED */, 0, 0], 0);
    refused(c::SYS_preadv2, [3, 0, 1, 0, 0, 8 /* RWF_NOWAIT */], c::EOPNOTSUPP);
}

#[test]
fn the_disk_of_all_is_not_asked_for_by_one() {
    let verdicts = |of, number: c::c_long, args| {
        let program = filter(Policy { memory_cgroup: true, of });
        verdict(&program, AUDIT_ARCH, number as u32, args)
    };
    let program = |number, args| verdicts(Confined::Program, number, args);
    let direct = u64::from(c::O_DIRECT.cast_unsigned());
    let invalid = ERRNO | c::EINVAL.cast_unsigned();
    assert_eq!(program(c::SYS_openat, [0, 0, direct, 0, 0, 0]), invalid);
    assert_eq!(program(c::SYS_openat, [0, 0, 0o102, 0, 0, 0]), c::SECCOMP_RET_ALLOW);
    assert_eq!(program(c::SYS_fcntl, [3, 4, direct | 0o2000, 0, 0, 0]), invalid, "F_SETFL");
    assert_eq!(program(c::SYS_fcntl, [3, 4, 0o4000, 0, 0, 0]), c::SECCOMP_RET_ALLOW);
    assert_eq!(program(c::SYS_fcntl, [3, 3, direct, 0, 0, 0]), c::SECCOMP_RET_ALLOW, "F_GETFL");
    for number in [c::SYS_fsync, c::SYS_fdatasync, c::SYS_sync_file_range, c::SYS_sync] {
        assert_eq!(program(number, [3, 0, 0, 0, 0, 0]), ERRNO, "done, and nothing done");
    }
    let unknown = ERRNO | c::ENOSYS.cast_unsigned();
    assert_eq!(program(c::SYS_openat2, [0; 6]), unknown);
    assert_eq!(verdicts(Confined::Init, c::SYS_openat2, [0; 6]), c::SECCOMP_RET_ALLOW);
    let added = lost_by_programs();
    assert_eq!(verdict(&added, AUDIT_ARCH, c::SYS_openat2 as u32, [0; 6]), unknown);
    assert_eq!(verdict(&added, AUDIT_ARCH, c::SYS_seccomp as u32, [0; 6]), EPERM);
    assert_eq!(verdict(&added, AUDIT_ARCH, c::SYS_openat as u32, [0; 6]), c::SECCOMP_RET_ALLOW);
    assert_eq!(verdict(&added, AUDIT_ARCH, 0, [0; 6]), c::SECCOMP_RET_ALLOW);
}

#[test]
fn no_call_is_both_allowed_and_checked() {
    let policy = of_program(true);
    assert_eq!(table(policy).len(), allowed(policy).count() + checked(policy).len());
    assert!(ARCHITECTURES.contains(&AUDIT_ARCH));
    // BPF_MAXINSNS of include/uapi/linux/bpf_common.h.
    assert!(filter(policy).len() <= 4096);
}

proptest! {
    #[test]
    fn arguments_are_treated_as_the_table_says(
        number in prop_oneof![
            prop::sample::select(checked(of_program(false))).prop_map(|(number, _)| number as u32),
            0_u32..600,
        ],
        args in prop::array::uniform6(argument()),
        memory_cgroup in any::<bool>(),
    ) {
        let (program, table) = &MADE[usize::from(memory_cgroup)];
        prop_assert_eq!(verdict(program, AUDIT_ARCH, number, args), expected(table, number, args));
    }

    #[test]
    fn other_worlds_are_killed(arch in any::<u32>(), number in any::<u32>()) {
        let (program, _) = &MADE[1];
        if arch != AUDIT_ARCH || number >= X32_BIT {
            let found = verdict(program, arch, number, [0; 6]);
            prop_assert_eq!(found, c::SECCOMP_RET_KILL_PROCESS);
        }
    }
}
