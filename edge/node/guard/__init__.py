"""The last word: limits, interlocks, trips, safe values."""
