"""Ways to a broker."""
