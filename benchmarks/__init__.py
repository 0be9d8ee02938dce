"""What is measured, side by side with peers or limits: ``python -m benchmarks`` runs all of it."""
