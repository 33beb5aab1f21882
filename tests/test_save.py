"""A clearing in one file: every bit comes back, and anything else is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import kpm_fast as kpm
from adapter import market_of, orders_of
from kpm_fast.model.outcome_figures import NUMBERS, OUTCOME_ARRAYS
from kpm_fast.storage import archive
from proofs import prove
from strategies import books, examples
from witness import Book

MARKET = kpm.Market(
    [[1, 0, 0], [0, 1, 0]],
    [0.3, 0.3, 0.4],
    inventory=[0.5, -0.0, 0.25],
    claims=["home", "naïve \U0001f984"],
    states=["H", "D", "A"],
)
ORDERS = kpm.Orders(
    ["home", "naïve \U0001f984", "home"],
    ["buy", "buy", "sell"],
    [0.6, math.inf, 0.5],
    [1, 0.5, 0.25],
    order_id=["a", "b, c", "\U0001f40e \x00"],
    time=[3, 1, 2],
)
Entries = dict[str, bytes]


@pytest.fixture(scope="module")
def proven() -> kpm.Result:
    return prove(MARKET, ORDERS)


@pytest.fixture
def file(proven: kpm.Result, tmp_path: Path) -> Path:
    proven.save(tmp_path / "clearing.npz")
    return tmp_path / "clearing.npz"


def bits(value: Any) -> Any:
    """What must come back the same: arrays to the sign of zero, numbers to the last digit."""
    if isinstance(value, np.ndarray):
        return (
            value.dtype.str,
            value.shape,
            value.tolist() if value.dtype.kind == "O" else value.tobytes(),
        )
    if isinstance(value, kpm.Orders):
        return {name: bits(column) for name, column in value.columns().items()}
    if dataclasses.is_dataclass(value):
        return {item.name: bits(getattr(value, item.name)) for item in dataclasses.fields(value)}
    return repr(value)


def assert_same(one: kpm.Result, other: kpm.Result) -> None:
    assert one == other
    assert one.stats == other.stats
    assert bits(one) == bits(other)


def test_round_trip(proven: kpm.Result, file: Path) -> None:
    for loaded in (kpm.load_result(file), kpm.Result.load(str(file))):
        assert_same(loaded, proven)
        assert loaded.verify()
        assert kpm.check_certificate(MARKET, ORDERS, loaded)
        for array in (loaded.fills, loaded.market.payoffs, loaded.orders.price):
            assert not array.flags.writeable


@given(book=books())
@examples(80)
def test_round_trip_of_any_book(book: Book, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = kpm.clear(market_of(book), orders_of(book), threads=1)
    path = tmp_path_factory.mktemp("save") / "clearing"
    result.save(path)
    assert_same(kpm.load_result(path), result)


def test_figures_that_json_does_not_know(proven: kpm.Result, tmp_path: Path) -> None:
    stats = dataclasses.replace(proven.stats, cells=10**5000)
    odd = dataclasses.replace(
        proven, upper_bound=math.inf, revenue=math.nan, ambiguity_price=-math.inf, stats=stats
    )
    odd.save(tmp_path / "odd")
    loaded = kpm.load_result(tmp_path / "odd")
    assert (loaded.upper_bound, loaded.ambiguity_price) == (math.inf, -math.inf)
    assert math.isnan(loaded.revenue)
    assert loaded.stats.cells == 10**5000


def test_every_field_is_kept() -> None:
    """A field that a later release adds must find its place in the file."""
    elsewhere = {"status", "allocation", "market", "orders", "stats", "certificate", "rule"}
    elsewhere |= {"_objective"}  # in the header of a rule that has one of its own
    kept = {*NUMBERS, *OUTCOME_ARRAYS, *elsewhere}
    assert {item.name for item in dataclasses.fields(kpm.Result)} == kept
    assert {item.name for item in dataclasses.fields(kpm.Certificate)} == {
        *archive._CERTIFICATE,
        *archive._MERGED,
    }
    assert {item.name for item in dataclasses.fields(kpm.DualCertificate)} == set(archive._DUAL)


def test_the_same_result_makes_the_same_bytes(proven: kpm.Result, tmp_path: Path) -> None:
    for name in ("one", "two"):
        proven.save(tmp_path / "deep" / name)
    assert (tmp_path / "deep" / "one").read_bytes() == (tmp_path / "deep" / "two").read_bytes()
    assert len(list((tmp_path / "deep").iterdir())) == 2


def test_numpy_opens_it(proven: kpm.Result, file: Path) -> None:
    with np.load(file) as entries:
        np.testing.assert_array_equal(entries["result/fills"], proven.fills)
        assert entries["certificate/first"].dtype == np.int64
        header = json.loads(entries["header.json"])
    assert header["format"] == "kpm-fast clearing"
    assert header["version"] == archive.VERSION == 5
    assert header["certainty_equivalent"] == proven.certainty_equivalent


def test_a_failure_leaves_the_old_file(
    proven: kpm.Result, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space"):
        proven.save(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


# -- files that are refused -------------------------------------------------------------------


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


def rewritten(file: Path, change: Callable[[Entries], None], *, listed: bool = True) -> Path:
    """Change the entries of a file, and by default what its header says about them."""
    with zipfile.ZipFile(file) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    change(entries)
    if "header.json" in entries and listed:
        with contextlib.suppress(ValueError, RecursionError):
            rest = [name for name in entries if name != "header.json"]
            header(entries=rest)(entries)
    with zipfile.ZipFile(file, "w") as target:
        for name, data in entries.items():
            target.writestr(name, data)
    return file


def refused(file: Path) -> str:
    with pytest.raises(kpm.InputError) as caught:
        kpm.load_result(file)
    assert caught.value.file == str(file)
    return str(caught.value)


def header(**changes: Any) -> Callable[[Entries], None]:
    """Change entries of the header; None takes them out."""

    def change(entries: Entries) -> None:
        data = {**json.loads(entries["header.json"]), **changes}
        gone = {name for name, value in changes.items() if value is None}
        kept = {name: value for name, value in data.items() if name not in gone}
        entries["header.json"] = json.dumps(kept).encode()

    return change


def stats(**changes: Any) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        data = json.loads(entries["header.json"])
        header(stats={**data["stats"], **changes})(entries)

    return change


def array(name: str, value: Any) -> Callable[[Entries], None]:
    return lambda entries: entries.update({f"{name}.npy": npy(value)})


BAD: list[tuple[Callable[[Entries], None], list[str]]] = [
    (header(format="something else"), ["header.json", "kpm-fast clearing"]),
    (header(version=6), ["version", "is 6, and this release reads 1, 2, 3, 4, 5"]),
    (header(version=True), ["version", "is True"]),
    (header(version=1.0), ["version", "is 1.0"]),
    (header(version=1), ["certificate/merged_into", "unknown"]),
    (array("certificate/merged_into", [1, 0]), ["certificate/merged_into[0]", "not merged"]),
    (header(status="splendid"), ["status", "'splendid'"]),
    (header(allocation="lottery"), ["allocation", "'lottery'"]),
    (header(revenue="much"), ["revenue", "'much'"]),
    (header(revenue=True), ["revenue", "True"]),
    (header(revenue=math.nan), ["header.json", "NaN"]),
    (header(scale=None), ["scale", "missing"]),
    (header(tolerance=2.0), ["tolerance", "2.0"]),
    (header(risk_aversion=-1.0), ["market/risk_aversion", "-1.0"]),
    (header(states=["H", "D"]), ["market/payoffs", "N = 2"]),
    (header(states=["H", "D", "D"]), ["market/states", "'D'"]),
    (header(claims="home"), ["claims", "must be a list of strings, got 'home'"]),
    (header(order_claims=["home", "x"]), ["orders/claim", "no claim 'x'"]),
    (header(order_claims=["home"]), ["orders/claim[1]", "order_claims, which has 1, got 1"]),
    (header(mood="good"), ["mood", "unknown"]),
    (header(stats=[]), ["stats", "got []"]),
    (header(claims=["home", 3]), ["claims[1]", "must be a string, got 3"]),
    (stats(cells=12), ["stats.cells", "12"]),
    (stats(cells="many"), ["stats.cells", "'many'"]),
    (stats(seconds={"total": "long"}), ["stats.seconds.total", "'long'"]),
    (stats(luck=1.0), ["stats"]),
    (lambda entries: entries.pop("header.json"), ["header.json", "missing"]),
    (lambda entries: entries.update({"header.json": b"{"}), ["header.json", "cannot be read"]),
    (lambda entries: entries.update({"header.json": b"\xff"}), ["header.json", "cannot be read"]),
    (lambda entries: entries.update({"header.json": b"[" * 10**6}), ["header.json"]),
    (lambda entries: entries.pop("result/fills.npy"), ["result/fills", "missing"]),
    (lambda entries: entries.pop("certificate/bound.npy"), ["certificate/bound", "missing"]),
    (lambda entries: entries.update({"virus.py": b""}), ["virus.py", "unknown"]),
    (lambda entries: entries.update({"result/fills.npy": b"x"}), ["result/fills", "cannot"]),
    (array("result/fills", [1.0, 2.0]), ["result/fills", "(2,)", "J = 3"]),
    (array("result/fills", [1, 2, 3]), ["result/fills", "<i8"]),
    (array("result/fills", [[1.0]] * 3), ["result/fills", "(3, 1)"]),
    (
        array("result/fills", np.array(["a", None, 1], dtype=object)),
        ["result/fills", "got object"],
    ),
    (array("orders/quantity", [1.0, -1.0, 1.0]), ["orders/quantity", "-1.0"]),
    (array("orders/side", np.array([1, 2, 1], dtype=np.int8)), ["orders/side", "2"]),
    (array("market/prior", [0.3, 0.3, 0.5]), ["market/prior", "1.1"]),
    (array("certificate/bound", [0.0]), ["certificate/bound", "L = "]),
    (
        lambda entries: entries.update({"orders/order_id.json": b'["a", "a", "b"]'}),
        ["orders/order_id", "'a'"],
    ),
    (
        lambda entries: entries.update(
            {"result/fills.npy": entries["result/fills.npy"] + b"\x00" * 8}
        ),
        ["result/fills", "must have 24 bytes"],
    ),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_wrong_entries_are_refused(
    file: Path, change: Callable[[Entries], None], words: list[str]
) -> None:
    message = refused(rewritten(file, change))
    for word in words:
        assert word in message, message


def former(file: Path, **changes: Any) -> Path:
    """The file as in version 1: without merges, its scale that of all orders in the book."""

    def change(entries: Entries) -> None:
        entries.pop("certificate/merged_into.npy", None)
        header(version=1, **changes)(entries)

    return rewritten(file, change)


def notional(market: kpm.Market, orders: kpm.Orders) -> float:
    return float(np.ptp(market.payoffs, axis=1)[orders.claim_index(market)] @ orders.quantity)


def test_files_of_version_1_verify(proven: kpm.Result, file: Path) -> None:
    loaded = kpm.load_result(former(file, scale=notional(MARKET, ORDERS)))
    assert loaded.scale == pytest.approx(proven.scale, rel=1e-12)
    assert loaded == dataclasses.replace(proven, scale=loaded.scale)
    assert loaded.verify()
    assert kpm.check_certificate(MARKET, ORDERS, loaded)


OLD = Path(__file__).parent / "cases" / "result_0_1"


def test_a_file_in_the_format_of_0_1() -> None:
    """Saved by that release with its own scale: it is checked with the scale of what trades."""
    loaded = kpm.load_result(OLD.with_suffix(".kpm"))
    assert loaded.fills.tolist() == [20.0, 10.0, 0.0, 0.0]
    assert loaded.claim_prices.tolist() == pytest.approx([0.56, 0.25, 0.19], rel=1e-15)
    assert loaded.scale == 30.0  # 50 stood in the book
    assert loaded.verify()
    assert kpm.check_certificate(loaded.market, loaded.orders, loaded)
    again = kpm.clear(
        loaded.market, loaded.orders, certificate=True, threads=1, allocation=loaded.allocation
    )
    assert loaded.certainty_equivalent == pytest.approx(again.certainty_equivalent, rel=1e-14)


def test_a_pickle_in_the_format_of_0_1_is_refused() -> None:
    """Its scale counted all orders in the book; no check would accept it."""
    with pytest.raises(
        kpm.InputError, match=r"Result: was pickled by another release .*Result\.save"
    ):
        pickle.loads(OLD.with_suffix(".pickle").read_bytes())


@given(book=books())
@examples(80)
def test_any_book_of_version_1(book: Book, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = kpm.clear(
        market_of(book), orders_of(book), threads=1, certificate=True, presolve=False
    )
    path = tmp_path_factory.mktemp("save") / "clearing"
    result.save(path)
    loaded = kpm.load_result(former(path, scale=notional(result.market, result.orders) or 1.0))
    verification = loaded.verify()
    assert verification, str(verification)
    assert kpm.check_certificate(loaded.market, loaded.orders, loaded)
    assert loaded.status is result.status


def test_a_gap_within_the_former_scale_only(proven: kpm.Result, file: Path) -> None:
    """A gap proved optimal for all orders in the book may be too wide for what trades."""
    stood = notional(MARKET, ORDERS)
    upper = proven.certainty_equivalent + 0.9 * proven.tolerance * stood
    assert upper - proven.certainty_equivalent > proven.tolerance * proven.scale
    loaded = kpm.load_result(former(file, scale=stood, upper_bound=upper))
    assert loaded.status is kpm.Status.INACCURATE


def test_another_scale_in_a_file_of_version_1_is_for_the_checks(
    proven: kpm.Result, file: Path
) -> None:
    loaded = kpm.load_result(former(file, scale=1.5 * notional(MARKET, ORDERS)))
    assert [check.name for check in loaded.verify().failed] == ["scale, relative"]


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
def test_convex_rules_of_version_2_verify(rule: str, tmp_path: Path) -> None:
    """Their scale counted idle orders that some price fills, and they had no objective."""
    orders = kpm.Orders([0, 0, 1], ["buy", "buy", "sell"], [0.56, 0.01, 0.2], [20, 1e6, 10])
    result = kpm.clear(MARKET, orders, rule=rule)
    result.save(tmp_path / "clearing")
    change = header(version=2, scale=notional(MARKET, orders), objective=None)
    loaded = kpm.load_result(rewritten(tmp_path / "clearing", change))
    assert loaded.scale == pytest.approx(result.scale, rel=1e-12)
    assert loaded.objective == pytest.approx(result.objective, rel=1e-12)
    assert loaded.status is kpm.Status.OPTIMAL
    loaded.verify().raise_if_failed()


def test_a_convex_rule_has_a_certificate_from_version_5_on(tmp_path: Path) -> None:
    result = kpm.clear(MARKET, ORDERS, rule="competitive", certificate=True)
    file = tmp_path / "clearing"
    result.save(file)
    assert kpm.load_result(file) == result
    plain = dataclasses.replace(result, certificate=None)
    plain.save(tmp_path / "plain")
    assert kpm.load_result(rewritten(tmp_path / "plain", header(version=4))) == plain
    assert "certificate/merged_into: is missing" in refused(rewritten(file, header(version=4)))
    kept = array("certificate/worst_case", np.full(5, 0.2))
    result.save(file)
    assert "certificate/worst_case" in refused(rewritten(file, kept))


def test_the_maker_s_rule_states_no_objective(file: Path) -> None:
    assert "objective" in refused(rewritten(file, header(objective=1.0)))


def test_nothing_is_ever_unpickled(file: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (tmp_path.joinpath("sprung").touch, ())

    rewritten(file, array("result/payoff", np.array([Trap()] * 3, dtype=object)))
    assert "result/payoff" in refused(file)
    assert not (tmp_path / "sprung").exists()


def test_entries_that_are_gone(file: Path) -> None:
    """A certificate cannot be removed unnoticed."""

    def strip(entries: Entries) -> None:
        for name in [name for name in entries if name.startswith("certificate/")]:
            del entries[name]

    assert "entries: differ from those that the header lists" in refused(
        rewritten(file, strip, listed=False)
    )
    assert kpm.load_result(rewritten(file, lambda entries: None)).certificate is None


def test_a_name_that_appears_twice_in_the_header(file: Path) -> None:
    def double(entries: Entries) -> None:
        entries["header.json"] = entries["header.json"].replace(b"{", b'{"revenue": 1.0, ', 1)

    assert "revenue: appears twice" in refused(rewritten(file, double, listed=False))


def test_out_of_memory_is_not_a_damaged_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(archive: zipfile.ZipFile, name: str) -> bytes:
        raise zlib.error("Error -4 while decompressing data")

    monkeypatch.setattr(zipfile.ZipFile, "read", read)
    with pytest.raises(MemoryError):
        kpm.load_result(file)


def test_entries_that_appear_twice(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("header.json", "{}")
    assert "header.json" in refused(file)


def test_damage_anywhere_is_noticed(proven: kpm.Result, file: Path) -> None:
    """A flipped bit is refused, unless it carries no content (a time, an attribute)."""
    sound = file.read_bytes()
    rng = np.random.default_rng(2)
    for position in rng.integers(len(sound), size=300):
        broken = bytearray(sound)
        broken[position] ^= 1 << rng.integers(8)
        file.write_bytes(broken)
        with contextlib.suppress(kpm.InputError):
            assert_same(kpm.load_result(file), proven)


def test_files_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text("claim,side\n")
    assert "not a kpm-fast clearing" in refused(path)
    path.write_bytes(b"")
    assert "not a kpm-fast clearing" in refused(path)
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    assert "header.json: is missing" in refused(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError):
        kpm.load_result(tmp_path / "none")
