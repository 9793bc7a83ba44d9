"""The zygote's memory in pages of 2 MiB: a fork then copies, and an exit gives back, a thousandth of the
entries. Measured with numpy, pandas, matplotlib and IPython (87 MB): fork 1.7 → 1.0 ms, exit 1.9 → 1.0 ms.
"""

import ctypes
import os

# include/uapi/asm-generic/mman-common.h; since Linux 6.1.
_MADV_COLLAPSE = 25
_HUGE = 2 << 20


def collapse(process):
    """Collapses what can be, by the maps in the folder of /proc behind the descriptor `process`.

    Only a saving: a kernel that does not know it, or has no memory to spare, leaves all as it was.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in _private_memory(process):
        start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if start < end:
            madvise(start, end - start, _MADV_COLLAPSE)


def _private_memory(process):
    with open(os.open("maps", os.O_RDONLY, dir_fd=process)) as maps:
        for line in maps.readlines():
            area, permissions, _offset, _device, inode, *name = line.split()
            if permissions == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
                start, end = area.split("-")
                yield int(start, 16), int(end, 16)
