"""An engine that keeps its book: see ``docs/engine.md``."""
