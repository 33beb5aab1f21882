"""Whether there is a compiled core beside these sources: Python, run in a checkout, finds the
checkout's own folder before the package that is installed.
"""

from importlib.util import find_spec
from pathlib import Path

_FOLDER = Path(__file__).parent

if find_spec(f"{__package__}._core") is None:
    raise ImportError(
        f"{_FOLDER} holds the sources of kpm_fast, which are not compiled: run Python in another "
        f"folder to use the package that is installed, or compile them in place by "
        f"pip install -e {_FOLDER.parent}"
    )
