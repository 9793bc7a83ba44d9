use super::*;

/// Runs the program on one call, as the kernel would.
pub fn verdict(program: &[sock_filter], arch: u32, number: u32, args: [u64; 6]) -> u32 {
    let mut position = 0;
    let mut accumulator = 0_u32;
    loop {
        let at = &program[position];
        position += 1;
        match at.code {
            LOAD => {
                accumulator = match at.k {
                    OFFSET_NUMBER => number,
                    OFFSET_ARCH => arch,
                    offset => args[((offset - OFFSET_ARGS) / 8) as usize] as u32,
                }
            }
            AND => accumulator &= at.k,
            JUMP => position += at.k as usize,
            RETURN => return at.k,
            test => {
                let holds = match test {
                    EQUAL => accumulator == at.k,
                    AT_LEAST => accumulator >= at.k,
                    ANY_BIT => accumulator & at.k != 0,
                    other => panic!("unknown instruction {other:#x}"),
                };
                position += usize::from(if holds { at.jt } else { at.jf });
            }
        }
    }
}

fn sample() -> Vec<sock_filter> {
    let mut intervals = vec![Interval { start: 0, action: Action::Errno(1) }];
    // Every even number is allowed: many intervals, so that jumps pass 255 instructions.
    for number in (2..800).step_by(2) {
        intervals.push(Interval { start: number, action: Action::Allow });
        intervals.push(Interval { start: number + 1, action: Action::Errno(38) });
    }
    intervals.push(Interval {
        start: 900,
        action: Action::Check(Check::Socket { domains: &[1, 2, 10], protocols: &[0, 6] }),
    });
    intervals.push(Interval {
        start: 901,
        action: Action::Check(Check::OneOf { index: 0, values: &[0, 7], errno: 1 }),
    });
    intervals.push(Interval {
        start: 902,
        action: Action::Check(Check::NoneOf { index: 1, values: &[0x5412, 0x541C] }),
    });
    intervals
        .push(Interval { start: 903, action: Action::Check(Check::Clone { namespaces: 0x30 }) });
    intervals
        .push(Interval { start: 904, action: Action::Check(Check::Zeroes { indices: &[0, 1] }) });
    intervals.push(Interval {
        start: 905,
        action: Action::Check(Check::Options {
            kept: &[Level { level: 1, names: &[9] }],
            levels: &[Level { level: 1, names: &[7, 8] }, Level { level: 6, names: &[1] }],
        }),
    });
    intervals.push(Interval { start: 906, action: Action::Errno(38) });
    compile(&intervals)
}

#[test]
fn every_number_meets_its_own_rule() {
    let program = sample();
    for number in 2..800 {
        let expected =
            if number % 2 == 0 { libc::SECCOMP_RET_ALLOW } else { libc::SECCOMP_RET_ERRNO | 38 };
        assert_eq!(verdict(&program, AUDIT_ARCH, number, [0; 6]), expected, "{number}");
    }
    assert_eq!(verdict(&program, AUDIT_ARCH, 5000, [0; 6]), libc::SECCOMP_RET_ERRNO | 38);
}

#[test]
fn other_architectures_and_x32_are_killed() {
    let program = sample();
    let kill = libc::SECCOMP_RET_KILL_PROCESS;
    assert_eq!(verdict(&program, 0x4000_0003, 2, [0; 6]), kill);
    assert_eq!(verdict(&program, AUDIT_ARCH, X32_BIT + 2, [0; 6]), kill);
    assert_eq!(verdict(&program, AUDIT_ARCH, u32::MAX, [0; 6]), kill);
}

#[test]
fn arguments_are_checked_in_their_low_32_bits() {
    let program = sample();
    let call = |number, args| verdict(&program, AUDIT_ARCH, number, args);
    let (allow, eperm) = (libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_ERRNO | 1);
    assert_eq!(call(900, [1, 1, 0, 0, 0, 0]), allow);
    assert_eq!(call(900, [2, 0x80002, 0, 0, 0, 0]), allow);
    assert_eq!(call(900, [2, 0x80003, 0, 0, 0, 0]), eperm, "SOCK_RAW with a flag");
    assert_eq!(call(900, [2, 6, 0, 0, 0, 0]), eperm, "DCCP by its type");
    assert_eq!(call(900, [2, 5, 0, 0, 0, 0]), eperm, "SCTP by its type");
    assert_eq!(call(900, [1, 0x80005, 0, 0, 0, 0]), allow);
    assert_eq!(call(900, [2, 1, 6, 0, 0, 0]), allow);
    assert_eq!(call(900, [2, 1, 132, 0, 0, 0]), libc::SECCOMP_RET_ERRNO | 93, "SCTP");
    assert_eq!(call(900, [40, 1, 0, 0, 0, 0]), libc::SECCOMP_RET_ERRNO | 97, "AF_VSOCK");
    assert_eq!(call(901, [7, 0, 0, 0, 0, 0]), allow);
    assert_eq!(call(901, [8, 0, 0, 0, 0, 0]), eperm);
    assert_eq!(call(902, [0, 0x1_0000_5412, 0, 0, 0, 0]), eperm, "TIOCSTI with a high bit");
    assert_eq!(call(902, [0, 0x5413, 0, 0, 0, 0]), allow);
    assert_eq!(call(903, [0x20, 0, 0, 0, 0, 0]), eperm);
    assert_eq!(call(903, [0x40, 0, 0, 0, 0, 0]), allow);
    assert_eq!(call(903, [0x400, 0, 0, 0, 0, 0]), eperm, "shared descriptors");
    assert_eq!(call(903, [0x1_0400, 0, 0, 0, 0, 0]), allow, "of threads");
    assert_eq!(call(904, [0, 0, 19, 0, 0, 0]), allow);
    assert_eq!(call(904, [0, 1, 19, 0, 0, 0]), eperm);
    assert_eq!(call(904, [1, 0, 19, 0, 0, 0]), eperm);
    let unknown = libc::SECCOMP_RET_ERRNO | 92;
    assert_eq!(call(905, [9, 1, 8, 0, 0, 0]), allow);
    assert_eq!(call(905, [9, 1, 9, 0, 0, 0]), libc::SECCOMP_RET_ERRNO, "as if it were set");
    assert_eq!(call(905, [9, 6, 9, 0, 0, 0]), unknown, "of another level");
    assert_eq!(call(905, [9, 6, 1, 0, 0, 0]), allow);
    assert_eq!(call(905, [9, 1, 1, 0, 0, 0]), unknown, "of another level");
    assert_eq!(call(905, [9, 6, 8, 0, 0, 0]), unknown, "of another level");
    assert_eq!(call(905, [9, 0, 1, 0, 0, 0]), unknown, "no such level");
}
