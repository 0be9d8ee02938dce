"""Serial lines: UARTs, protocols, the schedule."""
