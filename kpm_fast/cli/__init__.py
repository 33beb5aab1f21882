"""The ``kpm-fast`` command."""

from .command import main

__all__ = ["main"]
