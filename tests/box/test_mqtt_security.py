"""What docs/mqtt-security.md promises: its mosquitto.conf runs, and nothing from afar is run or unpickled."""

import ast
import re
import ssl
import tomllib
from pathlib import Path

import pytest

from edge.box import acl
from edge.box.config.fields import LONGEST_NAME
from edge.box.config.rules.report import VALUES_MAX
from edge.box.config.schema import find, read
from edge.box.config.tables import TABLES
from edge.node.calc import kinds
from edge.node.clock import VirtualClock
from edge.node.control import table as control_table
from edge.node.report.catalogue import BOOLEAN, Catalogue, Metric
from edge.node.report.records import Sample
from edge.node.report.speakers import speaker
from tests.node.report.brokers import Mosquitto, Subscriber, wait_for
from tests.node.report.certificates import Authority
from tests.node.report.connections.agents import RemoteConnection

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "mqtt-security.md").read_text()
MODULES = sorted([*(ROOT / "edge" / "node").rglob("*.py"), *(ROOT / "edge" / "box").rglob("*.py")])
RUNS_DATA = {"pickle", "cPickle", "marshal", "shelve", "dill", "code", "runpy"}
# The module of a device family or of a kind of block, by a name out of a table of the project's own.
OF_A_TABLE = dict.fromkeys(
    (
        "edge/node/build.py",
        "edge/node/calc/kinds.py",
        "edge/node/control/table.py",
        "edge/node/devices/table.py",
    ),
    {"__import__"},
)
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}


def block(language: str) -> str:
    """The page's first block of code in a language."""
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL).group(1)


def test_node_may_log_in_and_write_with_the_configuration_of_the_page(tmp_path):
    authority = Authority(tmp_path, "ca")
    broker_files = authority.issue("broker", ["localhost"])
    node = read(find("bishkek")).description
    user = acl.node_user(node)
    rights = acl.Rights()
    acl.grant(rights, node, user, ["monitor"], ["commander"], "homeassistant")
    broker = Mosquitto(tmp_path, users={user: "secret", "monitor": "m"}, acl=str(rights))
    lines = block("conf").replace("listener 8883", f"listener {broker.port} 127.0.0.1")
    lines = lines.replace("/etc/mosquitto/furnace/ca.pem", authority.ca)
    lines = lines.replace("/etc/mosquitto/furnace/broker.pem", broker_files["cert"])
    lines = lines.replace("/etc/mosquitto/furnace/broker.key", broker_files["key"])
    for name in ("passwords", "acl"):
        made = str(tmp_path / f"mosquitto-{broker.port}.{name}")
        lines = lines.replace(f"/etc/mosquitto/furnace/{name}", made)
    assert "/etc/mosquitto/furnace" not in lines
    configuration = tmp_path / f"mosquitto-{broker.port}.conf"
    own = [line for line in configuration.read_text().splitlines() if line.startswith(("user ", "log_type"))]
    # As Debian has it: the file of the page is read beside one that has settings of its own.
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "furnace.conf").write_text(lines)
    own += ["persistence true", f"persistence_location {tmp_path}/", f"include_dir {tmp_path}/conf.d"]
    configuration.write_text("\n".join(own))
    context = ssl.create_default_context(cafile=authority.ca)
    context.check_hostname = False  # the subscriber goes to 127.0.0.1
    with broker:
        topic = f"furnace/{node['node']['site']}/{node['node']['name']}/state"
        with Subscriber(broker.port, topic, "monitor", "m", context) as monitor, RemoteConnection(
                "cpython", brokers=[("localhost", broker.port)], client_id="n", tls={"ca": authority.ca},
                username=user, password="secret") as connection:
            connection.up()
            connection.order("publish", topic, "online", 1, False)
            assert wait_for(lambda: monitor.payloads(topic) == [b"online"])
        with RemoteConnection("cpython", brokers=[("localhost", broker.port)], client_id="n", username=user,
                              password="wrong", tls={"ca": authority.ca}) as connection:
            assert wait_for(lambda: "refused: not authorised" in connection.stats()["last_error"])


def test_the_longest_message_of_the_largest_node_passes_the_configuration_of_the_page():
    longest = "n" * LONGEST_NAME
    metrics = [Metric(f"alarm.{number:03}{longest[3:]}", "", BOOLEAN) for number in range(VALUES_MAX)]
    voice = speaker.make("home_assistant", longest, longest, {"prefix": longest}, VirtualClock())
    voice.begin(Catalogue(metrics, longest, longest), "0badcafe", {}.get, lambda *_: None)
    voice.observe(Sample(1, 1, 0, 0, True, voice.catalogue.number, [(i, 0, True) for i in range(VALUES_MAX)]),
                  1)
    most = max(len(topic) + len(payload) for topic, payload, _, _ in voice.births(0))
    assert most + 16 < int(re.search(r"^max_packet_size (\d+)$", block("conf"), re.MULTILINE).group(1))


def test_node_file_of_the_page_has_keys_that_exist():
    settings = tomllib.loads(block("toml"))["report"]["mqtt"]
    assert set(settings) <= set(TABLES["report.mqtt"].keys)


@pytest.mark.parametrize("kind", ["os", "..box.cli", "edge.box.cli", ""])
def test_a_kind_that_is_in_no_table_loads_nothing(kind):
    with pytest.raises(KeyError):
        kinds.build("x", {"kind": kind})
    with pytest.raises(KeyError):
        control_table._loop("x", {"kind": kind}, None, {})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_runs_and_unpickles_nothing(path):
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            assert not RUNS_DATA & {alias.name.split(".")[0] for alias in item.names}
        elif isinstance(item, ast.ImportFrom):
            assert (item.module or "").split(".")[0] not in RUNS_DATA
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Name):
            assert item.func.id not in CALLS - OF_A_TABLE.get(str(path.relative_to(ROOT)), set())
