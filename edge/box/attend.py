"""A node on the MicroPython unix port as a child: it has no signal handlers, its parent speaks for it."""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from edge.box import micropython
from edge.box.line_writer import LineWriter
from edge.box.ports import close_ports, open_ports
from edge.box.serial_port import PortError
from edge.box.signals import foreground, wakeable
from edge.node import description
from edge.node.main import TO_BE_MENDED


def run_micropython(node_file, args) -> int:
    """Run a NodeFile's node on MicroPython until it is told to stop; the command's exit code."""
    try:
        executable = micropython.executable()
        # Held for its lock while the child uses the same ports: nobody else may take them.
        held = open_ports(node_file)
    except (FileNotFoundError, PortError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with (
            tempfile.TemporaryDirectory(prefix="furnace-edge-") as folder,
            wakeable() as woken,
            LineWriter(sys.stderr) as say,
        ):
            path = Path(folder) / "node.json"
            path.write_bytes(description.dump(node_file.description))
            child = subprocess.Popen(
                micropython.command(executable, args.heap, "edge.node.main", str(path)),
                env=micropython.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Out of reach of a Ctrl-C at the terminal; the head of a session is hung up by its port.
                process_group=0,
            )
            return _attend(child, woken, args, say)
    finally:
        close_ports(held)


def _attend(child, woken: int, args, say) -> int:
    """Pass commands and the wish to stop on to the child, and what it says to ``say``, until it ends."""
    stdin = sys.stdin.fileno() if sys.stdin is not None else -1
    output = b""
    last = ""
    while True:
        waiting = [woken, child.stdout] + ([stdin] if foreground(stdin) else [])
        ready, _, _ = select.select(waiting, [], [], 1.0)
        if child.stdout in ready:
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                break
            *lines, output = (output + data).split(b"\n")
            for line in [line.decode(errors="replace") for line in lines]:
                # The last state at the end is JSON, everything else the console.
                if line.startswith("{"):
                    last = line
                else:
                    say(line)
        asked = b""
        if stdin in ready:
            asked = os.read(stdin, 256)
            if not asked:
                stdin = -1
                asked = b"\nstop\n" if args.attached else b""
        if woken in ready and os.read(woken, 16):
            # After a line break: half a line may be waiting there.
            asked += b"\nstop\n"
        if asked:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(asked)
                child.stdin.flush()
    code = child.wait(timeout=10)
    if code == 0 and last:
        if args.json:
            print(last, flush=True)
        return 0
    if code == TO_BE_MENDED:
        return 2
    say(f"the MicroPython node ended with code {code}; outputs rely on their leases")
    return 1
