"""The doctor tells which core is in use and what to mend."""

import json

from edge.box import build_info, doctor
from edge.box.cli import main


def test_the_doctor_tells_which_core_is_in_use(capsys):
    main(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    modules = {module["name"]: module["compiled"] for module in build_info.modules()}
    assert "cext.pid" in modules
    assert found["core"] == (
        "compiled" if all(modules.values()) else "partly compiled" if any(modules.values()) else "interpreted"
    )
    assert found["packages"]["pyserial"]


def test_a_core_that_is_not_compiled_is_said_with_what_to_do(monkeypatch, capsys):
    modules = [{"name": "cext.pid", "compiled": False, "stale": False}]
    monkeypatch.setattr(doctor.build_info, "modules", lambda: modules)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "numerical core: interpreted" in said
    assert "cext.pid" in said and "gcc" in said
