//! The program that the kernel gets, against the table that people read.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libc as c;
use proptest::prelude::*;

use super::bpf::tests::verdict;
use super::bpf::{AUDIT_ARCH, Action, Check, X32_BIT};
use super::table::{FIRST_UNKNOWN, allowed, checked};
use super::{Policy, filter};

const ERRNO: u32 = c::SECCOMP_RET_ERRNO;
const EPERM: u32 = ERRNO | c::EPERM.cast_unsigned();

/// SOCK_RAW and SOCK_PACKET.
const RAW_TYPES: [u32; 2] = [3, 10];

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
        Action::Check(Check::NoBits { index, mask }) => unless(low(index) & mask != 0, c::EPERM),
        Action::Check(Check::OneOf { index, values, errno }) => {
            unless(!values.contains(&low(index)), errno)
        }
        Action::Check(Check::NoneOf { index, values }) => {
            unless(values.contains(&low(index)), c::EPERM)
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
                unless(RAW_TYPES.contains(&(low(1) & 0xF)), c::EPERM)
            }
        }
        Action::Check(Check::KeptOptions { level, names }) => {
            unless(low(1) == level && names.contains(&low(2)), 0)
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
        let policy = Policy { memory_cgroup };
        (filter(policy), table(policy))
    })
});

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
        let policy = Policy { memory_cgroup };
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
fn no_call_is_both_allowed_and_checked() {
    let policy = Policy { memory_cgroup: true };
    assert_eq!(table(policy).len(), allowed(policy).count() + checked(policy).len());
    assert!(ARCHITECTURES.contains(&AUDIT_ARCH));
    // BPF_MAXINSNS of include/uapi/linux/bpf_common.h.
    assert!(filter(policy).len() <= 4096);
}

proptest! {
    #[test]
    fn arguments_are_treated_as_the_table_says(
        number in prop_oneof![
            prop::sample::select(checked(Policy { memory_cgroup: false })).prop_map(|(number, _)| number as u32),
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
