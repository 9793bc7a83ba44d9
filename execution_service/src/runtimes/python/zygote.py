"""Entry point of the Python zygote: loads libraries once, then only forks; the contract is in ../README.md.

`python3 -I -X utf8 zygote.py numpy pandas …` speaks with the spawner on descriptor 3. It holds the
privilege to enter sandboxes and never sees anything of a user's: what it forks becomes a kernel, gives
that privilege up, and only then hears of a program.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))

# As in kernel.py: found for our imports, gone before the user's.
sys.path.insert(0, _HERE)
from crucible_kernel.channel import Channel
from crucible_kernel.shutdown import shut_down
from crucible_kernel.serve import serve
from crucible_zygote.forks import wait_to_be_forked

sys.path.remove(_HERE)

# The zygote's own, and then those of a kernel in its child.
SPAWNER_FD = 3
PROCESS_FD = 4
REQUESTS_FD = 3
MESSAGES_FD = 4

# Returns in every child, inside its sandbox; never in the zygote.
wait_to_be_forked(SPAWNER_FD, PROCESS_FD, sys.argv[1:])
shut_down(serve(Channel(REQUESTS_FD, MESSAGES_FD)))
