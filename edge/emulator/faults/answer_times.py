"""An answer that is right and comes at another time, or not at all."""

from edge.emulator.faults.kind import Argument, Kind


def _mute(fault, answer, random):
    answer.lost = True


def _late(fault, answer, random):
    answer.start_us += int(fault.arg * 1000)


def _split(fault, answer, random):
    answer.pause_us += int(fault.arg * 1000)


def _merged(fault, answer, random):
    answer.held = True


def _duplicated(fault, answer, random):
    answer.again_us = int(fault.arg * 1000)


KINDS = (
    Kind("mute", "obeys, but its answer is lost", bends=_mute),
    Kind("late", "the answer starts so much later", Argument("ms", 150, 0, 600000), bends=_late),
    Kind(
        "split",
        "the answer pauses in its middle, as behind a USB adapter",
        Argument("ms", 20, 0, 10000),
        bends=_split,
    ),
    Kind(
        "merged",
        "every second answer is held back, and comes right before the next of the line",
        bends=_merged,
    ),
    Kind(
        "duplicated",
        "the answer comes twice, the second time so long after the end of the first",
        Argument("ms", 0, 0, 10000),
        bends=_duplicated,
    ),
)
