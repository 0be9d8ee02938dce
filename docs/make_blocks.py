"""Make docs/blocks.md and docs/blocks/*.svg: every block with its keys, an example and what it does.

    python docs/make_blocks.py          needs the extra tune, for matplotlib

The pictures are runs of the node's own blocks on virtual time; the examples pass `furnace-edge check`.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs import block_examples as examples  # noqa: E402
from docs import block_runs as runs  # noqa: E402
from edge.box.config.calc_tables import CALC_KINDS  # noqa: E402
from edge.box.config.control_tables import CROSS_LIMIT, LOOP_KINDS, SELECT, SPLIT  # noqa: E402
from edge.box.config.reference import _keys  # noqa: E402
from edge.box.config.tables import STATE  # noqa: E402

PAGE = ROOT / "docs" / "blocks.md"
PICTURES = ROOT / "docs" / "blocks"

INTRODUCTION = """\
# Blocks

<!-- Written by: python docs/make_blocks.py -->

A node file joins blocks. **Calculated signals** make one value of others. **Demand blocks** ask for something: `to`
names the one taker of a demand, an output or another block. Any number of blocks may read a demand.

**The rule.** A demand has one taker, and only the taker answers. In the same tick it says what became of the demand,
in the giver's own unit, whether there is room above and below, and whether another has it: a hand, an interlock, a trip,
a safe value. So every integral in a chain waits where it must, without a wire that a user could forget:

| taker | says it realised | room; who has it |
|---|---|---|
| output | what the guard applied | none where it is at a limit or at its rate; its state while it is held |
| pid as a slave | its set-point; its process value while its own output is blocked and the master pushes that way | as its own output; its process value, and "hand", while a person has it |
| select | to the winner what came back; to the others the same value | to the others none towards winning |
| ratio | the inverse of what came back | as it came |
| trim | its factor | it waits in the direction in which there is none |
| cross_limit | to the master the limited fuel | none up while air holds the fuel back, none down while air keeps it up |
| split | the sum of its parts | as long as one part has it |

**When it can't see.** `if_bad` of a loop: `refuse` (the output goes to its safe value), `hold`, `forward` (the
feed-forward with the last integral) or a number. A select says it for each of its inputs. A trim keeps its factor.
What is uncertain travels on as uncertain, and stops trims.

A complete file for each: [grate](../tests/box/config/examples/grate.toml),
[zone of a reheating furnace](../tests/box/config/examples/reheat_zone.toml),
[muffle furnace](../tests/box/config/examples/muffle.toml). All keys of all tables: [node-file.md](node-file.md).
"""


def main():
    """Write the pictures and the page."""
    PICTURES.mkdir(exist_ok=True)
    for name in runs.RUNS:
        draw(name)
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION, "\n## Calculated signals: `[calc.NAME]`\n"]
    for kind, (meaning, keys) in CALC_KINDS.items():
        parts.append(section(kind, f'kind = "{kind}"', meaning, keys))
    parts.append("\n## Conditions\n")
    parts.append(section("state", "[state.NAME]", examples.STATE_MEANING, STATE))
    parts.append("\n## Demands: `[loop.NAME]`\n")
    for kind, (meaning, keys) in LOOP_KINDS.items():
        parts.append(section(kind, f'kind = "{kind}"', meaning, keys))
    parts.append("\n## Between loops and outputs\n")
    for kind, keys in (("select", SELECT), ("cross_limit", CROSS_LIMIT), ("split", SPLIT)):
        parts.append(section(kind, f"[{kind}.NAME]", examples.MEANINGS[kind], keys))
    return "".join(parts)


def section(name: str, head: str, meaning: str, keys: dict) -> str:
    """One block: meaning, example, picture, keys."""
    text = f"\n### `{head}`\n\n{meaning[0].upper()}{meaning[1:]}.\n\n"
    text += f"```toml\n{examples.EXAMPLES[name].strip()}\n```\n\n"
    text += f"![{runs.CAPTIONS[name]}](blocks/{name}.svg)\n\n{runs.CAPTIONS[name]}.\n\n"
    return text + _keys(keys)


def draw(name: str):
    """The picture of one block: every panel a list of (label, times in s, values)."""
    panels = runs.RUNS[name]()
    figure, axes = pyplot.subplots(len(panels), 1, figsize=(7.2, 1.5 * len(panels) + 0.5), sharex=True, squeeze=False)
    for axis, (unit, lines) in zip(axes[:, 0], panels, strict=True):
        for number, (label, times, values) in enumerate(lines):
            style = ("-", "--", ":", "-.")[number % 4]
            axis.plot(times, values, style, label=label, linewidth=1.4)
        axis.set_ylabel(unit)
        axis.grid(alpha=0.3)
        axis.legend(loc="best", fontsize=8)
    axes[-1, 0].set_xlabel("s")
    figure.tight_layout()
    matplotlib.rcParams["svg.hashsalt"] = "furnace-edge"
    figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    main()
