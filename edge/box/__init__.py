"""What an industrial box adds to the node. CPython only."""
