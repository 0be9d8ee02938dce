"""``furnace-edge tune``: from a recorded experiment to controller settings and their margins."""

import argparse
import json
import math
import sys

from edge.box.extras import missing
from edge.tune.reading import units

EXAMPLE = """examples:
  furnace-edge tune step.csv --plot step.png
  furnace-edge tune step.csv --model fopdt --rule amigo --current 2.0,120,0
  furnace-edge tune night.jsonl --loop steam --from 3600 --to 7200 --json
  furnace-edge tune lab.txt --columns 1,4,2 --time-unit min --output-range 0,255 --before 0

step.csv is a table as loggers write it: time, output, process value, and what it has besides.
night.jsonl is recorded telemetry: mosquitto_sub -v -t 'furnace/SITE/NODE/#' > night.jsonl
Let the process come to rest, step the output by hand, wait until it has settled, step it back."""


def add_arguments(parser):
    """The arguments of the command for an argparse parser."""
    parser.epilog = EXAMPLE
    parser.add_argument(
        "file", metavar="FILE", help="a table, or recorded telemetry, one JSON message a line"
    )
    parser.add_argument(
        "--columns",
        type=_columns,
        metavar="TIME,OUTPUT,PV",
        help="headings or numbers of columns that are not understood of themselves",
    )
    parser.add_argument(
        "--time-unit",
        metavar="UNIT",
        choices=(*units.TIME, "mm:ss", "hh:mm"),
        help="unit of the times where no heading says it: ms, s, min, h, mm:ss, hh:mm ...",
    )
    parser.add_argument(
        "--output-range",
        type=_span,
        metavar="LOW,HIGH",
        help="the numbers of the output that stand for 0 and 100 %%, as 0,255; 0,100 takes them\nas they are",
    )
    parser.add_argument(
        "--before",
        type=_plain,
        metavar="VALUE",
        help="output in %% before the first row, where the step is on from the first row",
    )
    parser.add_argument("--loop", metavar="NAME", help="which loop of the telemetry")
    parser.add_argument("--from", dest="start_s", type=_number, metavar="S", help="leave out what is earlier")
    parser.add_argument("--to", dest="end_s", type=_number, metavar="S", help="leave out what is later")
    parser.add_argument(
        "--model",
        choices=("auto", "fopdt", "sopdt", "integrating"),
        default="auto",
        help="one lag, two lags, or an integrator, each with dead time (default auto)",
    )
    parser.add_argument("--rule", choices=("simc", "amigo"), default="simc", help="default simc")
    parser.add_argument(
        "--controller", choices=("pi", "pid"), help="which to propose (default: pid for two lags, pi else)"
    )
    parser.add_argument(
        "--tc",
        dest="tc_s",
        type=_positive,
        metavar="S",
        help="SIMC: time constant of the closed loop (default: the dead time)",
    )
    parser.add_argument(
        "--tick",
        dest="tick_s",
        type=_positive,
        default=0.0,
        metavar="S",
        help="period of the controller; half of it counts as dead time (default: continuous)",
    )
    parser.add_argument(
        "--current",
        type=_settings,
        metavar="K,Ti,Td",
        help="the settings in use, to compare before and after; K >= 0, Ti and Td in s",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--plot", metavar="OUT.png", help="draw record, model, and the loop before and after")


def run(args) -> int:
    """0: there is a proposal; 1: the record does not carry one; 2: unreadable, or a package is missing."""
    try:
        # numpy, scipy and matplotlib come with an extra that a node does without.
        from edge.tune import recording, report
        from edge.tune.advice import advise
        from edge.tune.identify import Unidentifiable

        if args.plot:
            from edge.tune import plot
    except ModuleNotFoundError as error:
        if error.name not in ("numpy", "scipy", "matplotlib"):
            raise
        print(missing(error.name, "tune"), file=sys.stderr)
        return 2
    try:
        record = recording.read(args.file, args.columns, args.loop, args.time_unit, args.output_range)
        record = record.window(args.start_s, args.end_s)
        record = record if args.before is None else record.after(args.before)
    except recording.RecordError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        advice = advise(record, args.model, args.rule, args.controller, args.tc_s, args.current, args.tick_s)
    except (Unidentifiable, ValueError) as error:
        print(f"{record.source}: no proposal\n{error}", file=sys.stderr)
        return 1
    if args.plot:
        try:
            plot.draw(advice, args.plot)
        except (OSError, ValueError) as error:
            print(f"{args.plot}: the plot can't be written: {error}", file=sys.stderr)
            return 2
    if args.json:
        print(json.dumps(report.as_dict(advice), indent=1))
    else:
        print(report.as_text(advice))
        if args.plot:
            print(f"written    {args.plot}")
    return 0


def _columns(text: str) -> list:
    names = [name.strip() for name in text.split(",")]
    if len(names) != 3 or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r}: expected three headings, as time,valve,temperature")
    return names


def _plain(text: str, what: str = "a number") -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r}: expected {what}")
    return value


def _number(text: str) -> float:
    return _plain(text, "a number of seconds")


def _span(text: str) -> tuple:
    parts = text.split(",")
    values = [_plain(part, "two numbers, as 0,255") for part in parts]
    if len(values) != 2 or not values[0] < values[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: expected two numbers, the lower one first, as 0,255")
    return tuple(values)


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0.0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of seconds above 0")
    return value


def _settings(text: str) -> tuple:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (2, 3) or not all(math.isfinite(value) and value >= 0.0 for value in values):
        raise argparse.ArgumentTypeError(f"{text!r}: expected gain, Ti and Td, all >= 0, as 2.0,120,0")
    return (*values, 0.0)[:3]


def main(argv=None) -> int:
    """``python -m edge.tune.command``, for an installation without its command line."""
    parser = argparse.ArgumentParser(prog="furnace-edge tune", formatter_class=argparse.RawTextHelpFormatter)
    add_arguments(parser)
    return run(parser.parse_args(argv))


if __name__ == "__main__":
    sys.exit(main())
