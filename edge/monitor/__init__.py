"""What people look at. CPython only."""
