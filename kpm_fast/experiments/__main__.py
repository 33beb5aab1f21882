"""``python -m kpm_fast.experiments``."""

from .command import main

raise SystemExit(main())
