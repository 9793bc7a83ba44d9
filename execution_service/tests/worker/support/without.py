"""Becomes a program on a host without something, by a seccomp filter that it cannot take off:
    without.py WHAT PROGRAM ARGUMENT...
"""
import ctypes
import os
import struct
import sys

CLONE_NEWUSER = 0x10000000
EPERM, EINVAL = 1, 22
# The numbers differ between the architectures.
X86 = os.uname().machine == "x86_64"
CLONE, UNSHARE, SECCOMP, PIVOT_ROOT, CLONE3 = (
    (56, 272, 317, 155, 435) if X86 else (220, 97, 277, 41, 435)
)
PRCTL, PR_SET_SECCOMP = (157 if X86 else 167), 22
ANY_BIT, EQUAL = 0x45, 0x15
# What is asked for: calls, what their first argument has (or nothing), and the answer.
RULES = {
    "user namespaces": [
        (CLONE, (ANY_BIT, CLONE_NEWUSER), EPERM),
        (UNSHARE, (ANY_BIT, CLONE_NEWUSER), EPERM),
        (CLONE3, None, EPERM),
    ],
    "seccomp": [(SECCOMP, None, EINVAL)],
    # 0: says that it was done.
    "seccomp that filters": [(SECCOMP, None, 0)],
    # The older spelling, which the zygote uses.
    "prctl that filters": [(PRCTL, (EQUAL, PR_SET_SECCOMP), 0)],
    "pivot_root": [(PIVOT_ROOT, None, EPERM)],
    "pivot_root that moves": [(PIVOT_ROOT, None, 0)],
}


def program(rules):
    load_number, load_argument = (0x20, 0, 0, 0), (0x20, 0, 0, 16)
    allow = (0x06, 0, 0, 0x7FFF0000)
    code = []
    for number, argument, answer in rules:
        refuse = (0x06, 0, 0, 0x00050000 | answer)
        act = [refuse]
        if argument is not None:
            test, value = argument
            act = [load_argument, (test, 0, 1, value), refuse]
        code += [load_number, (EQUAL, 0, len(act), number), *act]
    return [*code, allow]


def install(rules):
    code = b"".join(struct.pack("HBBI", *line) for line in program(rules))
    buffer = ctypes.create_string_buffer(code)
    fprog = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privs, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privs, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, fprog, 0, 0):
        sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")


install(RULES[sys.argv[1]])
os.execv(sys.argv[2], sys.argv[2:])
