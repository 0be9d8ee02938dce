"""All kinds of fault of the line, by name."""

from edge.emulator.faults import answer_bytes, answer_times, echoing, hearing, refusing

LINE_KINDS = {
    kind.name: kind
    for sort in (hearing, refusing, answer_times, answer_bytes, echoing)
    for kind in sort.KINDS
}
