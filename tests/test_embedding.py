"""The C library as it is shipped: how builds find it, its symbols, its answers and its errors."""

from __future__ import annotations

import ctypes
import math
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from adapter import market_of, orders_of
from kpm_fast import embedding
from programs import c_compiler, run_command
from strategies import books, examples
from witness import Book

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(kpm.__file__).parent  # where wheels are tested, the checkout's folder is not there
HEADER = Path(kpm.get_include()) / "kpm" / "kpm.h"

pytestmark = pytest.mark.cross_section


class Market(ctypes.Structure):
    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("states", ctypes.c_int32),
        ("claims", ctypes.c_int32),
        ("payoffs", ctypes.c_void_p),
        ("prior", ctypes.c_void_p),
        ("inventory", ctypes.c_void_p),
        ("risk_aversion", ctypes.c_double),
        ("ambiguity", ctypes.c_double),
    )


class Error(ctypes.Structure):
    _fields_ = (
        ("struct_size", ctypes.c_size_t),
        ("code", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
        ("field", ctypes.c_char_p),
        ("index", ctypes.c_int64),
        ("state", ctypes.c_int64),
        ("value", ctypes.c_double),
        ("message", ctypes.c_char * 200),
    )


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    return ctypes.CDLL(embedding.library_path())


def last_error(library: ctypes.CDLL) -> Error:
    error = Error(struct_size=ctypes.sizeof(Error))
    library.kpm_last_error(ctypes.byref(error))
    return error


def address(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def clear_flat(
    library: ctypes.CDLL,
    payoffs: np.ndarray,
    prior: np.ndarray,
    inventory: np.ndarray,
    alpha: float,
    omega: float,
    claim: np.ndarray,
    side: np.ndarray,
    price: np.ndarray,
    quantity: np.ndarray,
    time_limit: float = math.inf,
) -> tuple[int, dict[str, np.ndarray]]:
    claims, states = payoffs.shape
    out = {
        "state_prices": np.empty(states),
        "claim_prices": np.empty(claims),
        "net_demand": np.empty(claims),
        "fills": np.empty(len(claim)),
        "payoff": np.empty(states),
        "figures": np.empty(9),
    }
    code = library.kpm_clear_flat(
        ctypes.c_int32(states),
        ctypes.c_int32(claims),
        *map(address, (payoffs, prior, inventory)),
        ctypes.c_double(alpha),
        ctypes.c_double(omega),
        ctypes.c_int64(len(claim)),
        *map(address, (claim, side, price, quantity)),
        None,
        ctypes.c_double(1e-8),
        ctypes.c_double(time_limit),
        ctypes.c_int64(0),
        ctypes.c_int32(1),
        ctypes.c_int32(0),
        None,
        *map(address, out.values()),
    )
    return int(code), out


def arguments(market: kpm.Market, orders: kpm.Orders) -> list[Any]:
    return [
        np.array(market.payoffs),
        np.array(market.prior),
        np.array(market.inventory),
        market.risk_aversion,
        market.ambiguity,
        np.array(orders.claim_index(market)),
        np.array(orders.side),
        np.array(orders.price),
        np.array(orders.quantity),
    ]


@given(book=books())
@examples(100)
def test_c_answers_with_the_bits_of_python(library: ctypes.CDLL, book: Book) -> None:
    market, orders = market_of(book), orders_of(book)
    code, answer = clear_flat(library, *arguments(market, orders))
    result = kpm.clear(market, orders, threads=1)
    assert code == 0
    for name in ("state_prices", "claim_prices", "net_demand", "fills", "payoff"):
        assert np.array_equal(answer[name], getattr(result, name)), name
    assert answer["figures"][0] == result.certainty_equivalent
    assert answer["figures"][2] == result.upper_bound
    assert answer["figures"][4] == result.scale


FIELDS = (
    "payoffs",
    "prior",
    "inventory",
    "risk_aversion",
    "ambiguity",
    "claim",
    "side",
    "price",
    "quantity",
)
HOSTILE = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-300, 1e31, -1e31, 1e308, 5e-324, 77.0)


def test_c_refuses_what_python_refuses(library: ctypes.CDLL) -> None:
    """One entry of one field is replaced: both take the book, or both name that entry."""
    taken: list[bool] = []

    @given(
        book=books().filter(lambda book: len(book.claim) > 0),
        field=st.sampled_from(FIELDS),
        value=st.sampled_from(HOSTILE),
        at=st.integers(0, 10**6),
    )
    @examples(100)
    def compare(book: Book, field: str, value: float, at: int) -> None:
        taken.append(both_take(library, book, field, value, at))

    compare()
    assert 0.1 * len(taken) < sum(taken) < 0.9 * len(taken)


def both_take(library: ctypes.CDLL, book: Book, field: str, value: float, at: int) -> bool:
    """Whether Python takes a book with an entry replaced, after C was seen to do the same."""
    given_ = arguments(market_of(book), orders_of(book))
    where = FIELDS.index(field)
    if isinstance(given_[where], float):
        given_[where] = value
    else:
        flat = given_[where].reshape(-1)
        if flat.dtype.kind == "i":
            value = value if math.isfinite(value) and abs(value) < 100 else 99.0
        flat[at % flat.size] = value
    payoffs, prior, inventory, alpha, omega, claim, side, price, quantity = given_
    try:
        changed = kpm.Market(
            payoffs, prior=prior, inventory=inventory, risk_aversion=alpha, ambiguity=omega
        )
        if field in ("claim", "side"):  # Python has labels: a wrong index cannot be stated
            taken = bool(claim.min() >= 0 and claim.max() < len(payoffs) and set(side) <= {-1, 1})
        else:
            taken = True
            names = [changed.claims[k] for k in claim]
            kpm.Orders(names, ["buy" if s > 0 else "sell" for s in side], price, quantity)
    except kpm.InputError:
        taken = False
    code, _ = clear_flat(library, *given_, time_limit=0.0)  # other tests clear such books
    assert code == (0 if taken else 1)
    if taken:
        return True
    error = last_error(library)
    assert error.field.decode() == field
    assert error.message.decode().startswith(field)
    if error.index >= 0:
        entry = at % given_[where].size
        columns = payoffs.shape[1] if field == "payoffs" else 1
        assert error.index == entry // columns
        # A claim whose payoffs are too close together is named without a state.
        assert error.state in ((entry % columns, -1) if field == "payoffs" else (-1,))
    return False


def test_null_and_senseless_structs_are_refused(library: ctypes.CDLL) -> None:
    assert library.kpm_clear(None, None, None, None) == 1
    assert last_error(library).field == b"market"
    for size in (0, 1, 8, ctypes.sizeof(Market) - 1, 2**64 - 1):
        market = Market(struct_size=size)
        assert library.kpm_clear(ctypes.byref(market), None, None, None) == 1
        assert last_error(library).field == b"market"


# -- how builds find it --------------------------------------------------------------------------


def test_the_installed_header_is_that_of_the_sources() -> None:
    assert HEADER.read_bytes() == (ROOT / "csrc" / "include" / "kpm" / "kpm.h").read_bytes()


def test_the_version_is_the_package_s(library: ctypes.CDLL) -> None:
    library.kpm_version.restype = ctypes.c_char_p
    assert library.kpm_version().decode() == kpm.__version__
    stated = re.search(r"#define KPM_ABI_VERSION (\d+)", HEADER.read_text())
    assert stated is not None
    assert library.kpm_abi_version() == int(stated[1])


def test_the_command_says_what_a_build_needs(tmp_path: Path) -> None:
    def says(*options: str) -> list[str]:
        # Elsewhere: Python would take the package of the folder it starts in.
        command = [sys.executable, "-m", "kpm_fast", *options]
        return run_command(command, cwd=tmp_path).stdout.split()

    assert says("--cflags") == [f"-I{kpm.get_include()}"]
    (folder,) = kpm.get_library_dirs()
    assert says("--cflags", "--libs")[:3] == [f"-I{kpm.get_include()}", f"-L{folder}", "-lkpm"]
    assert kpm.get_libraries() == ["kpm"]
    assert (Path(says("--cmakedir")[0]) / "kpmConfig.cmake").is_file()
    (pkgconfig,) = says("--pkgconfigdir")
    assert "prefix=${pcfiledir}" in (Path(pkgconfig) / "kpm.pc").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="quotes of a POSIX shell")
def test_flags_are_quoted_for_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "Program Files" / "it's $HOME"
    monkeypatch.setattr(embedding, "_PACKAGE", package)
    assert embedding.main(["--cflags", "--libs"]) == 0
    flags = capsys.readouterr().out
    script = """eval "printf '%s\\\\n' $1" """
    seen = run_command(["sh", "-c", script, "sh", flags]).stdout.splitlines()
    include, folder = f"-I{package / 'include'}", package / "lib"
    assert seen == [include, f"-L{folder}", "-lkpm", f"-Wl,-rpath,{folder}"]
    assert embedding.main(["--cmakedir"]) == 0  # a path, not a flag: "$(...)" takes it as it is
    assert capsys.readouterr().out == f"{folder / 'cmake' / 'kpm'}\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the table with nm")
@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
def test_it_exports_the_functions_of_its_header_and_nothing_else() -> None:
    table = run_command(["nm", "-D", "--defined-only", embedding.library_path()]).stdout
    shown = {line.split()[-1] for line in table.splitlines()}
    stated = set(re.findall(r"^KPM_API [^(]*?(\w+)\(", HEADER.read_text(), re.MULTILINE))
    assert shown == stated


# -- bindings and documentation ------------------------------------------------------------------


def declarations(text: str) -> dict[str, list[str]]:
    """The members of each struct and enum, and the parameters of each function, in order."""
    text = re.sub(r"/\*.*?\*/|#[^\n]*", "", text, flags=re.DOTALL)
    found: dict[str, list[str]] = {}
    for kind, name, body in re.findall(r"(struct|enum) ?(\w*) \{(.*?)\}", text, re.DOTALL):
        entries = re.findall(r"(\w+)(?:\[\d+\])?;" if kind == "struct" else r"(\w+) =", body)
        found[name or entries[0]] = entries
    for name, body in re.findall(r"(\w+)\(([^)]*)\);", text):
        found[name] = re.findall(r"(\w+)(?:,|$)", body.replace("\n", " ").strip())
    return found


def test_cython_s_declarations_are_the_header_s() -> None:
    pxd = re.findall(r"\w+", (PACKAGE / "kpm.pxd").read_text())
    for name, entries in declarations(HEADER.read_text()).items():
        if name.endswith("_flat"):
            continue  # for callers without structs
        at = pxd.index(name)
        for entry in entries:
            if entry not in ("reserved", "void"):
                at = pxd.index(entry, at)  # in the same order


def test_numba_s_figures_are_the_header_s() -> None:
    text = HEADER.read_text()
    module = (PACKAGE / "numba.py").read_text()
    for name, variable in (("FIGURES", "_FIGURES"), ("FIGURE_STATUS", "_STATUS")):
        stated = re.search(rf"KPM_{name} = (\d+)", text)
        assert stated is not None
        assert re.search(rf"^{variable} = {stated[1]}$", module, re.MULTILINE) is not None


def test_sources_that_are_not_compiled_say_so(tmp_path: Path) -> None:
    """Python in a checkout imports the checkout's folder, not the package that is installed."""
    ignored = shutil.ignore_patterns("_core*", "lib", "include", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "kpm_fast", ignore=ignored)
    # Without the hook of an editable install, and without this checkout on the path.
    command = [sys.executable, "-S", "-m", "kpm_fast", "--cflags"]
    run = run_command(command, cwd=tmp_path, env=dict(os.environ))
    assert run.returncode != 0
    assert run.stdout == ""
    assert f"{tmp_path / 'kpm_fast'} holds the sources" in run.stderr
    assert f"pip install -e {tmp_path}" in run.stderr


@pytest.mark.unsanitized
def test_the_programs_of_the_documentation_run(tmp_path: Path) -> None:
    """The first clearing, and a second program of what goes on from it, every code checked."""
    page = (ROOT / "docs" / "embedding.md").read_text()
    first, *pieces = re.findall(r"```c\n(.*?)```", page, re.DOTALL)
    promise = re.search(r"It prints `([^`]*)`", page)
    assert promise is not None
    assert len(pieces) == 3
    body, end = first.rsplit("  return", 1)
    checked = [
        re.sub(r"^(kpm_(?!engine_free|settings_init)\w+\(.*\));", r"CHECK(\1);", piece, flags=re.M)
        for piece in pieces
    ]
    assert sum(piece.count("CHECK") for piece in checked) == 8
    check = "#include <stdlib.h>\n#define CHECK(call) if ((call) != KPM_OK) return 2\n"
    more = check + body + "\n".join(f"{{{piece}}}" for piece in checked) + "  return" + end
    flags = run_command(
        [sys.executable, "-m", "kpm_fast", "--cflags", "--libs"], cwd=tmp_path
    ).stdout.split()
    strict = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    for name, code in (("first", first), ("more", more)):
        (tmp_path / f"{name}.c").write_text(code)
        run_command([c_compiler(), *strict, tmp_path / f"{name}.c", "-o", tmp_path / name, *flags])
        assert run_command([tmp_path / name]).stdout.strip() == promise[1]


@pytest.mark.unsanitized
def test_the_documentation_s_cython_runs(tmp_path: Path) -> None:
    """Built by the example's setup.py, as the page says, it prints what ``first.c`` prints."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    c_compiler()
    page = (ROOT / "docs" / "embedding.md").read_text("utf-8")
    (code,) = re.findall(r"```cython\n(.*?)```", page, re.DOTALL)
    promise = re.search(r"It prints `([^`]*)`", page)
    assert promise is not None
    (tmp_path / "first.c").write_text("int main(void) { return 0; }\n")  # of the same page
    (name,) = re.findall(r"This `(\w+)\.pyx`", page)
    (tmp_path / f"{name}.pyx").write_text(code, "utf-8")
    example = (ROOT / "examples" / "embedding" / "cython" / "setup.py").read_text("utf-8")
    (tmp_path / "setup.py").write_text(example.replace("replay", name), "utf-8")
    build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    built = run_command(build, cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    run = run_command([sys.executable, "-c", f"import {name}; {name}.main()"], cwd=tmp_path)
    assert run.stdout.strip() == promise[1], run.stderr
