"""What the node tells; it sees everything and can stop nothing."""
