"""Which part of the package a function belongs to, by its name and library."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from .callgrind import Counts, Function

CORE = Path(__file__).resolve().parent.parent / "csrc" / "src"
PYTHON, BINDINGS = "Python and NumPy", "bindings"
OWN = "own code"
# Library functions are counted by what they do, whichever part of the core calls them.
LIBRARIES = (
    ("logarithms, exponentials", re.compile(r"_*(ieee754_)?(exp|log|expm1|log1p|pow)(_\w+)?")),
    (
        "allocation",
        re.compile(
            r"_*(int_)?(m|c|re)alloc.*|c?free|_int_free.*|operator (new|delete).*|malloc_.*"
            r"|unlink_chunk.*|sysmalloc|aligned_.*|tcache.*|.*_consolidate"
        ),
    ),
    ("copying", re.compile(r"_*mem(cpy|set|move|cmp|chr)\w*")),
    ("Eigen", re.compile(r"(\w+ )?\w* ?&?Eigen::.*|.*\bEigen::(internal::|\w+<).*")),
)
_KPM = re.compile(r"kpm::((?:(?:\(anonymous namespace\)|\w+)::)*\w+)")
_TYPE = re.compile(r"^\s*(?:class|struct)\s+(\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^(?:\w[\w:<>,&*\s]*?[\s&*])(\w+)\(", re.MULTILINE)


class CodeMap:
    """Reads the core's sources once: a folder of csrc/src is a part, with the folders in it."""

    def __init__(self, sources: Path = CORE) -> None:
        owners: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for path in sorted(sources.rglob("*.[hc]pp")):
            text = path.read_text(encoding="utf-8")
            for pattern in (_TYPE, _FUNCTION):
                for name in pattern.findall(text):
                    owners[name][path.relative_to(sources).parts[0]] += 1
        self._part = {name: counts.most_common(1)[0][0] for name, counts in owners.items()}

    def part(self, function: Function) -> str | None:
        """The part that a function belongs to, or None for a library that works for its caller."""
        name, library = function.name, function.library
        if self.library(function) is not None:
            return None
        if library.startswith("_core"):
            match = _KPM.search(name)
            for word in match[1].split("::") if match else ():  # namespaces, types, functions
                if word in self._part:
                    return self._part[word]
            return BINDINGS if "pybind11" in name or "(anonymous namespace)" in name else None
        if re.match(r"(libpython|python|_?multiarray|_umath|numpy|_multiarray)", library):
            return PYTHON
        return None

    def library(self, function: Function) -> str | None:
        """What kind of library work a function is, or None for code of a part."""
        name = function.name
        inside = function.library.startswith("_core")
        if inside and re.match(r"(?:\w+ )*kpm::", name):
            return None
        for kind, pattern in LIBRARIES:
            if pattern.fullmatch(name):
                return kind
        if inside and name.startswith(("std::", "void std::", "auto std::")):
            return "standard library"
        return None


def shares(counts: Counts, codemap: CodeMap) -> dict[str, Counter[str]]:
    """Instructions by part, and in it by its own code or the library that worked for it.

    Library functions are charged to the parts that called them, through any number of other
    library functions, in proportion to what each call cost.
    """
    callers: defaultdict[Function, Counter[Function]] = defaultdict(Counter)
    for (caller, callee), cost in counts.arcs.items():
        if caller != callee:
            callers[callee][caller] += cost
    known = {function: codemap.part(function) for function in {*counts.own, *callers}}
    owners: dict[Function, dict[str, float]] = {
        function: {part: 1.0} for function, part in known.items() if part is not None
    }
    helpers = [function for function, part in known.items() if part is None]
    for _ in range(12):  # chains of library functions are short
        for helper in helpers:
            total, mixed = 0.0, Counter[str]()
            for caller, cost in callers[helper].items():
                for part, share in owners.get(caller, {}).items():
                    mixed[part] += cost * share  # type: ignore[assignment]
                    total += cost * share
            if total:
                owners[helper] = {part: value / total for part, value in mixed.items()}
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for function, cost in counts.own.items():
        kind = OWN if known[function] is not None else codemap.library(function) or "other"
        for part, share in owners.get(function, {"other": 1.0}).items():
            found[part][kind] += round(cost * share)
    return dict(found)
