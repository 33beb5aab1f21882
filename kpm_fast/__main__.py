"""``python -m kpm_fast`` is the ``kpm-fast`` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
