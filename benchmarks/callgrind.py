"""Instructions by function, as valgrind's callgrind writes them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

_NAME = re.compile(r"\((\d+)\)(?: (.*))?")


@dataclass(frozen=True)
class Function:
    """A function and the file name of the program or library that holds it."""

    name: str
    library: str


@dataclass
class Counts:
    """Instructions of each function itself, and of each call arc with all that it calls."""

    own: Counter[Function] = field(default_factory=Counter)
    arcs: Counter[tuple[Function, Function]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.own.total()


def parse(text: str) -> Counts:
    """Read callgrind's output format, version 1, with one event."""
    counts = Counts()
    names: dict[str, dict[str, str]] = {"fn": {}, "ob": {}}

    def resolve(kind: str, value: str) -> str:
        match = _NAME.fullmatch(value)
        if match is None:
            return value
        if match[2] is not None:
            names[kind][match[1]] = match[2]
        return names[kind][match[1]]

    library = called_library = ""
    caller = callee = Function("", "")
    is_call = False
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and key in ("fn", "cfn", "ob", "cob", "calls", "fl", "fi", "fe", "cfi", "cfl"):
            if key == "ob":
                library = called_library = Path(resolve("ob", value)).name
            elif key == "cob":
                called_library = Path(resolve("ob", value)).name
            elif key == "fn":
                caller = Function(_plain(resolve("fn", value)), library)
                called_library = library
            elif key == "cfn":
                callee = Function(_plain(resolve("fn", value)), called_library)
                called_library = library
            elif key == "calls":
                is_call = True
            continue
        if line and line[0] in "0123456789+-*":
            cost = int(line.split()[1])
            if is_call:
                counts.arcs[caller, callee] += cost
                is_call = False
            else:
                counts.own[caller] += cost
    return counts


def _plain(name: str) -> str:
    """A name without the marks of recursion levels, compilers' copies and versions of symbols."""
    return re.sub(r"('\d+)+$|( \[clone [^\]]*\])+$|@@.*", "", name)
