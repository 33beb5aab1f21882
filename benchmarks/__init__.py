"""Benchmarks: ``python -m benchmarks --help``. Speed is asserted by ``pytest benchmarks``."""
