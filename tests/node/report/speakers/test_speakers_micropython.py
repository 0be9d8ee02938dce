"""The speakers say the same bytes on both runtimes, and neither stumbles over what a broker hands out."""

import contextlib
import io
import subprocess

from edge.box import micropython
from tests.node.report.speakers import speakers_script
from tests.parts import missing_part


def on_micropython() -> list:
    try:
        executable = micropython.executable()
    except FileNotFoundError as error:
        missing_part(str(error))
    script = "from tests.node.report.speakers import speakers_script; speakers_script.main()"
    done = subprocess.run([executable, "-c", script], cwd=micropython.root(), env=micropython.environment(),
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return done.stdout.splitlines()


def test_both_runtimes_say_the_same():
    with io.StringIO() as out, contextlib.redirect_stdout(out):
        speakers_script.main()
        ours = out.getvalue().splitlines()
    theirs = on_micropython()
    assert len(ours) == len(theirs) > 3000
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


def test_hostile_messages_are_taken_or_refused():
    decoded, actions, refused = speakers_script.hostile(20000)
    assert decoded > 1000 and actions > 100 and refused > 5000
