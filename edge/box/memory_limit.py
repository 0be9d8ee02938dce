"""The memory of the reporter is bounded, so that whatever fills it ends the reporter and not the node."""

import resource
from pathlib import Path

DATA_MAX = 256 << 20  # bytes; in use are some 45 MB, of which 24 MB are the stacks of threads
OOM_SCORE = 500  # of 1000: when the whole machine runs short, it goes long before its node does


def limit_memory():
    """Bound what this process may allocate (man 2 setrlimit, RLIMIT_DATA): beyond it there is a MemoryError,
    which ends it. OSError where the system refuses it.
    """
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = DATA_MAX if most == resource.RLIM_INFINITY else min(DATA_MAX, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, most))
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text(str(max(OOM_SCORE, int(score.read_text()))))
