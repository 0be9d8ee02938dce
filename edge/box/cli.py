"""The command line ``furnace-edge``: one subcommand each, in the module that does the work."""

import argparse
import importlib
import sys

from edge import __version__
from edge.box.extras import missing

# command -> (module, what it does). Modules are imported only when used: a missing extra stops one command.
COMMANDS = {
    "demo": ("edge.box.demo", "broker, emulated plant and node in one go, with a live table"),
    "run": ("edge.box.run", "the controller"),
    "init": ("edge.box.init", "files to start from: a node file and its plant for the bench"),
    "check": ("edge.box.check", "say what is wrong with a node file"),
    "emulate": ("edge.emulator.serve", "the bench's other end of the line"),
    "scenario": ("edge.emulator.scenario", "plant and node on virtual time, with a report"),
    "acl": ("edge.box.acl", "topic rights for the broker, from node files"),
    "command": ("edge.box.command", "ask a node for something from afar"),
    "monitor": ("edge.monitor.watch", "look at a node from afar"),
    "tune": ("edge.tune.command", "a model, a tuning and its margins from a recorded step or relay test"),
    "doctor": ("edge.box.doctor", "what stands in the way on this box"),
}

NOTICE = (
    "furnace-edge is a process controller. It never replaces a certified burner control, "
    "a temperature limiter or a safety instrumented system."
)


def parser_for(command: str) -> argparse.ArgumentParser:
    """The argument parser; only the wanted command's module is imported."""
    parser = argparse.ArgumentParser(prog="furnace-edge", description=NOTICE)
    parser.add_argument("--version", action="version", version=f"furnace-edge {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, does) in COMMANDS.items():
        one = commands.add_parser(
            name, help=does, description=does, formatter_class=argparse.RawTextHelpFormatter
        )
        if name == command:
            importlib.import_module(module).add_arguments(one)
    return parser


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if sys.stdout is not None and sys.stdout.errors == "strict":
        # A name from a file or a broker may have what the locale's encoding has not.
        sys.stdout.reconfigure(errors="replace")
    wanted = next((word for word in argv if word in COMMANDS), "")
    try:
        args = parser_for(wanted).parse_args(argv)
        return importlib.import_module(COMMANDS[args.command][0]).run(args)
    except ModuleNotFoundError as error:
        if error.name in ("rich", "amqtt"):
            print(missing(error.name, "demo"), file=sys.stderr)
            return 2
        raise
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


if __name__ == "__main__":
    sys.exit(main())
