"""Make the example of docs/tuning.md again: the record, what the command says of it, and its picture.

    python -m docs.make_tuning_example              from the root of the project

writes docs/tuning-example.csv, docs/tuning-example.png and the block between the two marks in docs/tuning.md.
The record is a known model, P(s) = 2 e^(-20 s)/(60 s + 1) around 800 degC, simulated by scipy.signal with
noise of 0.5 degC.
"""

import contextlib
import io
import re
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from edge.tune import command
from tests.tune.oracles import experiment, output_of

FOLDER = Path(__file__).parent
ARGUMENTS = ["docs/tuning-example.csv", "--current", "1.2,30,0"]


def main() -> int:
    time_s = 2.0 * np.arange(450.0)
    output = output_of(time_s, (100.0, 50.0), (400.0, 35.0), (650.0, 40.0))
    record = experiment(2.0, (60.0,), 20.0, time_s, output, noise=0.5, seed=11)
    rows = zip(record.time_s, record.output, record.process_value, strict=True)
    table = "".join(f"{at_s:.0f},{percent:.0f},{value:.2f}\n" for at_s, percent, value in rows)
    (FOLDER / "tuning-example.csv").write_text("time_s,output_pct,temperature_degC\n" + table)

    picture = FOLDER / "tuning-example.png"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = command.main([*ARGUMENTS, "--plot", str(picture)])
    # A palette makes the file a third of the size.
    Image.open(picture).convert("RGB").quantize(32).save(picture, optimize=True)
    lines = [line for line in said.getvalue().splitlines() if not line.startswith("written")]
    block = "\n".join(["```", f"$ furnace-edge tune {' '.join(ARGUMENTS)} --plot out.png", *lines, "```", ""])
    page = FOLDER / "tuning.md"
    marked = re.compile("(<!-- example -->\n).*?(<!-- end of example -->)", re.DOTALL)
    text, places = marked.subn(lambda match: match[1] + block + match[2], page.read_text())
    page.write_text(text)
    print(f"written: {page}, tuning-example.csv, tuning-example.png")
    return code if places == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
