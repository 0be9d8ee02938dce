"""The table of Sparkplug's assertions, from the checks of the tests.

    python docs/make_sparkplug_assertions.py        from the root of the project

writes docs/sparkplug-assertions.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.node.report.speakers.assertions import (  # noqa: E402
    ASSERTIONS,
    CHECKS,
    ELSEWHERE,
    NOT_APPLICABLE,
    NOT_MET,
)

PAGE = Path(__file__).parent / "sparkplug-assertions.md"

HEAD = """# Sparkplug B 3.0: what an edge node owes, assertion by assertion

Made by `python docs/make_sparkplug_assertions.py` from `assertions.py` in `tests/node/report/speakers/`; a
test compares this page with it. The ids are those of the Sparkplug 3.0 specification, without their prefix
`tck-id-`.

Tested assertions are checked on the wire: over the sessions of `sparkplug_session.py` (there too) as CPython
and MicroPython conduct them (`test_sparkplug_assertions.py::test_assertion[RUNTIME-ID]`), and over
what the sender and the MQTT client of the node really send to mosquitto, the bytes of MQTT included
(`test_sparkplug_broker.py`). Payloads are read by Google's protobuf. Each check is shown to fail on sessions
that were tampered with.

| | assertions |
|---|---|
| tested | {tested} |
| not applicable | {not_applicable} |
| not met | {not_met} |
| **together** | **{all}** |

## Decisions that the specification leaves open

- **Quality**: bad is null with `Quality` = 0; uncertain (the last reading is overdue) has its value and
  `Quality` = 500; without the property a value is good.
- **Timestamps of the primary host's STATE** are compared with those of the same connection: each broker
  retains a STATE of its own, and one that the host reached earlier must not look stale for ever.
- **NDEATH before an intended DISCONNECT** is published at QoS 1, as the will is.
- **Delivery**: Sparkplug's data is QoS 0. After it, on the same connection, the node publishes an empty
  message at QoS 1 on `furnace/<site>/<node>/barrier`, outside of `spBv1.0/`. What was sent before a barrier
  whose PUBACK has come is done; everything else is sent again after the next births, as historical.
- **History of a device that is away**: a device may only speak between DBIRTH and DDEATH, so its backlog
  comes between a DBIRTH (with its present, bad values) and a DDEATH of its own.
- **Events** are the String metric `Node Info/Event`, whose text is the JSON of `docs/event.schema.json`.
- **Commands** are JSON texts written to `Node Control/Command` (docs/commands.md), because a command needs a
  nonce and a counter. No other metric is writable except `Node Control/Rebirth`.
- `datatype_in_data = true` breaks `payloads-metric-datatype-not-req`, a SHOULD NOT, on purpose: some decoders
  return null without a datatype.
"""

TABLE = "\n## Chapter {}\n\n| assertion | level | here |\n|---|---|---|\n"


def page() -> str:
    parts = [HEAD.format(tested=len(CHECKS) + len(ELSEWHERE), not_applicable=len(NOT_APPLICABLE),
                         not_met=len(NOT_MET), all=len(ASSERTIONS))]
    chapter = None
    for name, row in ASSERTIONS.items():
        if row["spec_chapter"] != chapter:
            chapter = row["spec_chapter"]
            parts.append(TABLE.format(chapter.replace("_", " ")))
        parts.append(f"| {name.removeprefix('tck-id-')} | {row['level']} | {outcome(name)} |\n")
    return "".join(parts)


def outcome(name: str) -> str:
    if name in CHECKS:
        return f"tested: `{CHECKS[name].__name__}`"
    if name in ELSEWHERE:
        return f"tested: `{ELSEWHERE[name].split('/')[-1]}`"
    if name in NOT_MET:
        return f"**not met**: {NOT_MET[name]}"
    return f"not applicable: {NOT_APPLICABLE[name]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
