"""What is on the disk in an outbox of segments, read without it."""

from edge.node.report import records
from edge.node.report.outbox import blocks
from edge.node.report.outbox.segment_files import is_segment


def stored_in(paths) -> set:
    """(boot, seq) of the node's records in sound blocks of the segments among the files."""
    found = set()
    for path in paths:
        if is_segment(path.name):
            for record in records_of(path.read_bytes()):
                _, boot, seq, _ = records.peek(record)
                if boot:
                    found.add((boot, seq))
    return found


def records_of(data: bytes):
    """The records of each sound block."""
    at = data.find(blocks.MAGIC)
    while at >= 0:
        head = data[at:at + blocks.HEAD_SIZE]
        block = blocks.read_head(head)
        end = at + blocks.HEAD_SIZE + (block.size if block is not None else 0)
        body = data[at + blocks.HEAD_SIZE:end]
        if blocks.sound(head, body) is None:
            end = at + 1
        else:
            yield from blocks.unpack(body, block.first, block.count)[1]
        at = data.find(blocks.MAGIC, end)
