"""Entry point of the Python kernel; the contract is in ../README.md.

`python3 -I -X utf8 kernel.py` is told of runs on descriptor 3 and answers on 4. zygote.py does the same
in the children that it forks.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))

# Isolated mode leaves the script's own folder out of sys.path. The path goes away again after the
# imports: the user's `import kernel` must find the user's file, never ours.
sys.path.insert(0, _HERE)
from crucible_kernel.boot import boot
from crucible_kernel.channel import Channel
from crucible_kernel.shutdown import shut_down
from crucible_kernel.serve import serve

while _HERE in sys.path:  # twice, if restart.py has started us
    sys.path.remove(_HERE)

REQUESTS_FD = 3
MESSAGES_FD = 4

boot()
channel = Channel(REQUESTS_FD, MESSAGES_FD)
if len(sys.argv) > 1:  # crucible_kernel/restart.py
    channel.take_first(int(sys.argv[1]))
shut_down(serve(channel, is_ready=len(sys.argv) > 1))
