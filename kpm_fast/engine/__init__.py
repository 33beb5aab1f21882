"""An engine that keeps a book: see ``docs/engine.md``."""
