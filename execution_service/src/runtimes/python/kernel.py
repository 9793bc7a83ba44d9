"""Entry point of the Python kernel; the contract is in ../README.md.

`python3 -I -X utf8 kernel.py` serves runs on descriptor 3; `kernel.py --features` prints what this
interpreter offers. zygote.py does the same in the children that it forks.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))

# Isolated mode leaves the script's own folder out of sys.path. The path goes away again after the
# imports: the user's `import kernel` must find the user's file, never ours.
sys.path.insert(0, _HERE)
if sys.argv[1:] == ["--features"]:
    from crucible_kernel.features import print_features

    print_features()
    sys.exit(0)

from crucible_kernel.boot import boot
from crucible_kernel.channel import Channel
from crucible_kernel.ending import end
from crucible_kernel.serve import serve

sys.path.remove(_HERE)

CONTROL_FD = 3

boot()
end(serve(Channel(CONTROL_FD)))
