"""The Python zygote: an interpreter with its libraries loaded, whose children become kernels.

zygote.py ── forks ──┬── libraries    what is imported and tried out before the first fork
                     ├── huge_pages   its memory, laid out for cheap forks
                     ├── wire         messages from and to the spawner
                     ├── sandbox      a child's way into its sandbox and out of its privilege
                     └── reseed       what must differ between any two children
"""
