"""The reporter on a disk that takes SLOW_DISK_MS for each commit and each read: for bench_report."""

import os
import sys
import time

from edge.box import outbox, reporter

PAUSE_S = float(os.environ.get("SLOW_DISK_MS", "0")) / 1000


class SlowOutbox(outbox.Outbox):
    """An outbox whose disk takes its time."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.on_disk = lambda what: time.sleep(PAUSE_S)


if __name__ == "__main__":
    outbox.Outbox = SlowOutbox
    sys.exit(reporter.main())
