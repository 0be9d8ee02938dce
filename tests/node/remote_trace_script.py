"""A day at the door: prints what was answered and what the furnace did. Runs on CPython and MicroPython."""

from tests.node.remote_bench import Node, remote


def tell(node, answer=None):
    furnace, burner, programme = node.furnace, node.burner, node.programmes[0]
    values = [f"{value:.9f}" for value in (furnace.set_point.value, burner.value, node.t.value)]
    print(" ".join(values), burner.state, furnace.mode, node.remote.mode, programme.state)
    if answer is not None:
        print("   ", [f"{key}={answer[key]}" for key in sorted(answer)])


def main():
    node = Node(remote(start="local"), follow_plant=True)
    ask = node.ask
    tell(node, ask("set_point", "furnace", 850.0))
    print(node.console.execute("remote on"))
    node.tick()
    tell(node, ask("set_point", "furnace", 850))
    for _ in range(60):
        node.tick(20)
        tell(node)
    tell(node, ask("mode", "furnace", "manual"))
    tell(node, ask("output", "furnace", 55.5))
    for _ in range(10):
        node.tick(10)
        tell(node)
    tell(node, ask("mode", "furnace", "auto"))
    for _ in range(40):
        node.tick(20)
        tell(node)
    node.draught.good(150.0)
    node.tick(4)
    tell(node, ask("acknowledge", "trip.pressure"))
    tell(node, ask("reset", "pressure"))
    node.draught.good(-80.0)
    node.tick()
    tell(node, ask("reset", "peak"))
    tell(node, ask("reset", "pressure"))
    tell(node, ask("programme", "heat_up", "start"))
    for _ in range(80):
        node.tick(20)
        tell(node)
    tell(node, ask("set_point", "furnace", 1e300))
    for event in node.events:
        print(event)


main()
