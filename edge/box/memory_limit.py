"""The memory of the reporter is bounded, so that whatever fills it ends the reporter and not the node."""

import resource
from pathlib import Path

DATA_MAX = 256 << 20  # bytes; in use are some 45 MB, of which 24 MB are the stacks of threads
OUTBOX_SHARE = 16  # and so much of the size of the outbox, whose list of blocks is in memory
OOM_SCORE = 500  # of 1000: when the whole machine runs short, it goes long before its node does


def limit_memory(outbox_bytes: int):
    """Bound what this process may allocate (man 2 setrlimit, RLIMIT_DATA): beyond it there is a MemoryError,
    which ends it. ``outbox_bytes``: bound of its outbox. OSError where the system refuses it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = DATA_MAX + outbox_bytes // OUTBOX_SHARE
    if most != resource.RLIM_INFINITY:
        bound = min(bound, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, most))
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text(str(max(OOM_SCORE, int(score.read_text()))))
