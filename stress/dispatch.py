"""A command with one subcommand for each of some modules."""

from __future__ import annotations

import argparse
from types import ModuleType


def dispatch(
    program: str, description: str | None, modules: tuple[ModuleType, ...], words: list[str] | None
) -> int:
    """Run the module that the words of a command line name; its ``run`` returns the exit code."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    subparsers = parser.add_subparsers(required=True, metavar="NAME")
    for module in modules:
        subparser = subparsers.add_parser(
            module.__name__.rpartition(".")[2],
            help=(module.__doc__ or "").partition("\n")[0],
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    options = parser.parse_args(words)
    return int(options.run(options))
