"""All kinds of fault of the line and of sensors, by name."""

from edge.emulator.faults import answer_bytes, answer_times, echoing, hearing, refusing, sensors, talking

LINE_KINDS = {
    kind.name: kind
    for sort in (hearing, refusing, answer_times, answer_bytes, talking, echoing)
    for kind in sort.KINDS
}

SENSOR_KINDS = {kind.name: kind for kind in sensors.KINDS}
