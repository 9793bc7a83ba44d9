"""The Python kernel: runs one program, or keeps the state of a session.

kernel.py ── boot ── serve ── session ── program        source → code objects
                      │         ├────── streams         descriptors 0, 1, 2 and sys.std*
                      │         ├────── tracebacks, diagnostics
                      │         └────── display ── figures, integrations
                      ├ channel, interrupts             the worker's side
                      ├ warmup                          before the first run
                      └ shutdown                        after a stateless one

The user's code shares this process, so whatever the kernel needs after boot is bound at import:
a program that rebinds `json.dumps` or `os.write` spoils its own answer and nothing else.
"""
