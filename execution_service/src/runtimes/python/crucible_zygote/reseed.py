"""What a fork would make the same in every child: the states of random generators.

`os.urandom` and all that reads it at each use (`uuid.uuid4`, `secrets`, `numpy.random.default_rng`)
differ by themselves. The hash of a str is one secret for all children of a zygote.
"""

import sys


def reseed():
    """In a child, before it hears of a program."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        # uuid1(): the last time it gave out, and a node that may be a random number.
        uuid._last_timestamp = uuid._node = None
