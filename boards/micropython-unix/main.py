# Boots the node from node.json in the current folder.
# That is made by `furnace-edge check NODE.toml --write node.json`.
# MICROPYPATH names the folder of edge/ and cext/:
#     micropython -X heapsize=1m boards/micropython-unix/main.py
import sys

from edge.node.main import run

run(sys.argv[1] if len(sys.argv) > 1 else "node.json")
