"""``python -m kpm_fast``: the ``kpm-fast`` command, or what a build on the C library needs."""

import sys

from .cli import main
from .embedding import OPTIONS
from .embedding import main as build_options

if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(build_options(arguments) if arguments and arguments[0] in OPTIONS else main())
