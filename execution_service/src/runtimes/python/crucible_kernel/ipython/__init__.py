"""What only IPython can do, by IPython: `%magics`, `!commands`, `x?`, `get_ipython()`.

shell ── notation                       is it IPython's, and where does what becomes of it belong
  └ kernel_shell ── quiet_shell         InteractiveShell, without what it would do to the process
        ├────────── compiler, outlets   what it is made of here
        └────────── scripts ── commands `%%bash`, `!ls`

Nothing imports IPython until a program needs it, and kernel_shell is what does.
"""
