"""``python -m kpm_fast.experiments``: the command ``kpm-fast experiments``."""

import sys

from ..cli import main

if __name__ == "__main__":
    sys.exit(main(["experiments", *sys.argv[1:]]))
