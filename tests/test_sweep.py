"""Sweeps and advice: the same clearings as one by one, with any executor."""

from __future__ import annotations

import csv
import itertools
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from executors import dask, loky
from kpm_fast import sample
from kpm_fast.cli import command as cli
from kpm_fast.cli.sweep import grid

RADII = [0.0, 0.01, 0.03, 0.2]


@pytest.fixture(scope="module")
def book() -> tuple[kpm.Market, kpm.Orders]:
    return sample.race_card(runners=5, levels=2, seed=3, opinion=1.5, crossed=0.0)


def without_time(sweep: kpm.Sweep) -> dict[str, object]:
    return {name: column for name, column in sweep.table.items() if name != "seconds"}


def test_rows_are_the_clearings_one_by_one(book: tuple[kpm.Market, kpm.Orders]) -> None:
    market, orders = book
    swept = kpm.sweep(market, orders, ambiguity=RADII, risk_aversion=[1e-3, 1e-2])
    assert len(swept) == 8
    assert swept["ambiguity"] == tuple(RADII * 2)
    assert swept["risk_aversion"] == (1e-3,) * 4 + (1e-2,) * 4
    for row, (alpha, omega) in enumerate((a, o) for a in (1e-3, 1e-2) for o in RADII):
        result = kpm.clear(market.replace(risk_aversion=alpha, ambiguity=omega), orders)
        assert swept["certainty_equivalent"][row] == result.certainty_equivalent
        assert swept["volume"][row] == result.volume
        assert swept["worst_payoff"][row] == result.payoff.min()
        assert swept["expected_payoff"][row] == market.prior @ result.payoff
        assert swept["status"][row] == result.status.value


def test_rules_are_swept(book: tuple[kpm.Market, kpm.Orders]) -> None:
    market, orders = book
    rules = ["maker_optimal", "competitive", "pay_as_bid"]
    swept = kpm.sweep(market, orders, ambiguity=[0.0, 0.01], rule=rules)
    assert swept["rule"] == tuple(rule for rule in rules for _ in range(2))
    for row, (rule, omega) in enumerate((r, o) for r in rules for o in (0.0, 0.01)):
        maker = market.replace(ambiguity=omega)
        result = kpm.clear(maker, orders, rule=rule)
        assert swept["gain"][row] == result.gain
        assert swept["upper_bound"][row] == result.upper_bound
        quotes = maker.maker.quotes(market.payoffs)
        assert swept["spread"][row] == pytest.approx(np.mean(quotes["ask"] - quotes["bid"]))
    assert kpm.sweep(market, orders, rule="competitive")["rule"] == ("competitive",)
    labels = (
        kpm.sweep(market, orders, rule=rules[:2]).plot("gain").axes[0].get_legend_handles_labels()
    )
    assert labels[1] == ["maker optimal", "competitive"]
    for wrong, words in (
        ("pay as bid", r"rule: must be .*did you mean 'pay_as_bid'"),
        (["competitive", "dutch"], r"rule\[1\]: must be .*got 'dutch'"),
        ([], "rule: must name at least one"),
    ):
        with pytest.raises(kpm.InputError, match=words):
            kpm.sweep(market, orders, rule=wrong)  # type: ignore[arg-type]


def test_the_spread_opens_with_ambiguity(book: tuple[kpm.Market, kpm.Orders]) -> None:
    spread = kpm.sweep(*book, ambiguity=RADII)["spread"]
    assert spread[0] == pytest.approx(0.0, abs=1e-12)
    assert np.all(np.diff(spread) > 0)


def test_a_sweep_prints_as_a_table() -> None:
    """Where only orders that cross trade, a gain that is rounding is printed as 0."""
    market, orders = sample.race_card(runners=4, levels=2, seed=1, crossed=1.0)
    lines = str(kpm.sweep(market, orders, ambiguity=[0.0, 1.0])).splitlines()
    head = ["ambiguity", "gain", "volume", "expected_payoff", "worst_payoff", "spread", "status"]
    assert lines[0].split() == head
    assert len({len(line) for line in lines}) == 1
    assert lines[2].split()[:2] == ["1", "0"]
    assert "e-" not in lines[2]
    assert "-0 " not in lines[2]


@pytest.mark.parametrize(
    "kind",
    [
        ThreadPoolExecutor,
        ProcessPoolExecutor,
        pytest.param(loky, marks=pytest.mark.unsanitized),
        pytest.param(dask, marks=pytest.mark.unsanitized),
    ],
)
def test_rows_do_not_depend_on_the_executor(
    book: tuple[kpm.Market, kpm.Orders], kind: Callable[[int], Any]
) -> None:
    here = kpm.sweep(*book, ambiguity=np.linspace(0.0, 0.1, 9))
    with kind(2) as executor:
        there = kpm.sweep(*book, ambiguity=np.linspace(0.0, 0.1, 9), executor=executor)
    assert without_time(here) == without_time(there)


def test_priors_have_names(book: tuple[kpm.Market, kpm.Orders]) -> None:
    market, orders = book
    flat = np.full(5, 0.2)
    swept = kpm.sweep(market, orders, prior={"own": market.prior, "flat": flat}, ambiguity=0.01)
    assert swept["prior"] == ("own", "flat")
    assert swept["gain"][1] == kpm.clear(market.replace(prior=flat, ambiguity=0.01), orders).gain
    assert swept.implied["flat"] == kpm.implied_ambiguity(market.replace(prior=flat), orders)


def test_a_sweep_can_be_pickled_framed_and_drawn(book: tuple[kpm.Market, kpm.Orders]) -> None:
    swept = kpm.sweep(*book, ambiguity=RADII)
    assert pickle.loads(pickle.dumps(swept)) == swept
    frame = swept.to_frame("polars")
    assert frame.columns == list(swept.table)
    pytest.importorskip("matplotlib")
    (axes,) = swept.plot("volume").axes
    assert axes.get_ylabel() == "volume (shares)"
    assert any(text.get_text() == "trade stops" for text in axes.texts)
    with pytest.raises(kpm.InputError, match=r"y.*'colour'"):
        swept.plot("colour")


def test_a_stop_ends_all_rows() -> None:
    """The row at hand has a clearing; those that nobody waits for have none."""
    market, orders = kpm.sample.race_card(seed=1)
    stop = kpm.StopToken()
    stop.cancel()
    swept = kpm.sweep(market, orders, ambiguity=[0.0, 0.01, 0.1], stop=stop)
    assert list(swept["status"]) == ["interrupted"] * 3
    assert np.isfinite(swept["gain"]).tolist() == [True, False, False]
    assert np.isnan(swept["seconds"]).tolist() == [False, True, True]


def test_a_callback_ends_its_own_clearing_only(book: tuple[kpm.Market, kpm.Orders]) -> None:
    ended = kpm.sweep(*book, ambiguity=[0.0, 0.01], callback=lambda _: True)
    assert np.isfinite(ended["gain"]).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ambiguity": [0.1, -1.0]}, r"ambiguity\[1\].*-1"),
        ({"risk_aversion": [1.0, 0.0]}, r"risk_aversion\[1\].*0"),
        ({"ambiguity": [0.1, "x"]}, r"ambiguity\[1\]: must be .*'x'"),
        ({"ambiguity": []}, r"ambiguity.*at least one"),
        ({"prior": {"short": [1.0]}}, r"prior"),
        ({"prior": [0.2] * 5}, r"prior.*mapping"),
        ({"tolerance": 2.0}, r"tolerance.*2"),
    ],
)
def test_bad_parameters_are_refused_before_any_work(
    book: tuple[kpm.Market, kpm.Orders], parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(kpm.InputError, match=message):
        kpm.sweep(*book, **parameters)  # type: ignore[arg-type]


def test_advice_says_where_trade_stops(book: tuple[kpm.Market, kpm.Orders]) -> None:
    market, orders = book
    advice = kpm.advise(market.replace(ambiguity=0.5), orders)
    stop = kpm.implied_ambiguity(market, orders)
    assert advice.implied_ambiguity == stop
    assert f"{stop:.4g} nats" in str(advice)
    assert "nothing is gained" in str(advice)
    assert advice.frontier["volume"][0] > 0.0
    within = str(kpm.advise(market.replace(ambiguity=0.5 * stop), orders))
    assert "50 % of that" in within


def test_advice_where_there_is_no_threshold(book: tuple[kpm.Market, kpm.Orders]) -> None:
    market, orders = book
    tilted = market.replace(inventory=np.arange(5.0))
    assert "differs between states" in str(kpm.advise(tilted, orders))
    crossed = kpm.Orders([0, 0], ["buy", "sell"], [0.6, 0.4], [1.0, 1.0])
    plain = kpm.Market([[1, 0]], [0.5, 0.5])
    assert "Orders cross" in str(kpm.advise(plain, crossed))
    assert "at no ambiguity" in str(kpm.advise(plain, crossed[:0]))
    at_any_price = kpm.Orders([0], "buy", [np.inf], [1.0])
    assert "Trade stops at an ambiguity of 0.6931 nats." in str(kpm.advise(plain, at_any_price))


def test_no_sequence_of_auctions_loses_more_than_the_bound() -> None:
    """Theorem D, with inventory carried from auction to auction."""
    random = np.random.default_rng(5)
    start = np.array([0.0, 300.0, -50.0, 0.0])
    for ambiguity, inventory in itertools.product((0.0, 0.02, 0.3), (np.zeros(4), start)):
        prior = random.dirichlet(np.full(4, 2.0))
        market = kpm.Market(
            np.eye(4), prior, risk_aversion=0.05, ambiguity=ambiguity, inventory=inventory
        )
        bound = kpm.advise(market, kpm.Orders([], [], [], [])).loss_bound
        for _ in range(12):
            orders = kpm.Orders(
                random.integers(4, size=8),
                random.choice([-1, 1], size=8),
                random.uniform(0.0, 1.0, size=8),
                random.uniform(1.0, 200.0, size=8),
            )
            result = kpm.clear(market, orders)
            market = market.replace(inventory=result.payoff)
            assert (result.payoff - inventory).min() >= -bound - 1e-6 * result.scale


def test_what_a_maker_gives_up_to_be_insured_is_within_the_bound() -> None:
    """Wealth of 1000 in one state, of which a crowd takes 550 and more for what it pays in both."""
    market = kpm.Market(np.eye(2), [0.5, 0.5], inventory=[1000, 0], risk_aversion=0.01)
    orders = kpm.Orders([0], "buy", [0.45], [1000])
    lost = 1000 - kpm.clear(market, orders).payoff[0]
    advice = kpm.advise(market, orders)
    assert lost == pytest.approx(550)
    assert lost <= advice.loss_bound == market.maker.loss_bound()
    assert advice.loss_bound == pytest.approx(1000.0, abs=0.01)
    assert f"more than {advice.loss_bound:.6g}," in str(advice)


def test_grids() -> None:
    assert grid("0,0.5,2") == [0.0, 0.5, 2.0]
    assert grid("0:1:3") == [0.0, 0.5, 1.0]
    assert grid("0,inf") == [0.0, np.inf]
    bad_counts = ("0:1", "0:1:2.5", "0:1:0", "0:1:nan", "0:1:inf", "0:1:100001")
    for bad in ("", "a", *bad_counts, "0:inf:3", "nan:1:3", "-1e308:1e308:3"):
        with pytest.raises(kpm.InputError, match="grid"):
            grid(bad)


def test_commands(
    book: tuple[kpm.Market, kpm.Orders], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "book"
    kpm.write_book(folder, *book)
    target = tmp_path / "sweep.csv"
    words = ["sweep", str(folder), "--ambiguity", "0:0.1:3", "--output", str(target)]
    assert cli.main([*words, "--plot", str(tmp_path / "picture")]) == 0
    with target.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["ambiguity"]) for row in rows] == [0.0, 0.05, 0.1]
    assert (tmp_path / "picture.svg").exists()
    assert "worst" in capsys.readouterr().out
    assert cli.main(["advise", str(folder)]) == 0
    assert "Trade stops" in capsys.readouterr().out
    # Without a grid: to where trade stops.
    stop = kpm.implied_ambiguity(*book)
    assert cli.main(["sweep", str(folder), "--output", str(target)]) == 0
    with target.open(encoding="utf-8") as stream:
        found = [(float(row["ambiguity"]), float(row["volume"])) for row in csv.DictReader(stream)]
    assert found[0][0] == 0.0 < found[0][1]
    assert found[-1] == (pytest.approx(stop), pytest.approx(0.0, abs=1e-3 * found[0][1]))
    capsys.readouterr()
    words = ["sweep", str(folder), "--rule", "pay-as-bid, competitive", "--output", str(target)]
    assert cli.main([*words, "--ambiguity", "0.01"]) == 0
    with target.open(encoding="utf-8") as stream:
        assert [row["rule"] for row in csv.DictReader(stream)] == ["pay_as_bid", "competitive"]
    assert "pay_as_bid" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["sweep", str(folder), "--ambiguity", "much"])
    assert ended.value.code == cli.EXIT_INPUT
    assert "much" in capsys.readouterr().err


def test_a_column_that_does_not_exist_is_refused_before_any_work(
    book: tuple[kpm.Market, kpm.Orders], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "book"
    kpm.write_book(folder, *book)
    words = ["sweep", str(folder), "--plot", str(tmp_path / "x"), "--column", "colour"]
    assert cli.main(words) == cli.EXIT_INPUT
    told = capsys.readouterr()
    assert "--column" in told.err
    assert told.out == ""


@pytest.mark.parametrize("width", [30, 40, 60, 100])
@pytest.mark.parametrize("command", ["sweep", "advise"])
def test_narrow_terminals_lose_columns_and_no_digits(
    book: tuple[kpm.Market, kpm.Orders],
    command: str,
    width: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kpm.write_book(tmp_path / "book", *book)
    monkeypatch.setenv("COLUMNS", str(width))
    assert cli.main([command, str(tmp_path / "book")]) == 0
    said = capsys.readouterr().out.splitlines()
    rule = next(place for place, line in enumerate(said) if "───" in line)
    rows = [line.split() for line in said[rule + 1 :] if line.strip() and "(" not in line]
    swept = kpm.advise(*book).frontier
    written = [f"{value + 0.0:.6g}" for value in swept["ambiguity"]]
    assert [row[0] for row in rows] == written
    assert [row[1] for row in rows] == [f"{value + 0.0:.6g}" for value in swept["gain"]]
    assert max(len(line.rstrip()) for line in said[rule:] if "(" not in line) <= width
    columns = {"sweep": 7, "advise": 6}[command]
    assert any("(no room for: " in line for line in said) == (len(rows[0]) < columns)


@pytest.mark.parametrize("executor", [3, "threads", ThreadPoolExecutor])
def test_other_objects_are_no_executors(book: tuple[kpm.Market, kpm.Orders], executor: Any) -> None:
    for call in (
        lambda: kpm.clear_many([book], executor=executor),
        lambda: kpm.sweep(*book, ambiguity=[0.0, 0.01], executor=executor),
    ):
        with pytest.raises(kpm.InputError, match="executor: must be an executor"):
            call()


@pytest.mark.parametrize(
    ("option", "meant"), [("typo", None), ("ambiguty", "ambiguity"), ("time-limit", "time_limit")]
)
def test_unknown_options_are_refused_by_name(
    book: tuple[kpm.Market, kpm.Orders], option: str, meant: str | None
) -> None:
    with pytest.raises(TypeError, match=r"^sweep\(\) got an unexpected") as raised:
        kpm.sweep(*book, ambiguity=RADII, **{option: 1})
    told = str(raised.value)
    assert repr(option) in told
    assert (f"did you mean {meant!r}?" in told) if meant else ("did you mean" not in told)
    assert "(it takes market, orders, ambiguity, risk_aversion, prior, rule, executor" in told
    assert "tolerance" in told


@pytest.mark.parametrize("liquidity", [None, 200.0])
@pytest.mark.parametrize("inventory", [None, [0.0, 5.0, -2.0, 1.0, 0.0]])
def test_a_market_of_a_knightian_maker_is_swept_like_one_of_its_parameters(
    book: tuple[kpm.Market, kpm.Orders], liquidity: float | None, inventory: list[float] | None
) -> None:
    plain, orders = book
    plain = plain.replace(inventory=inventory)
    if liquidity is None:
        maker: kpm.Maker = plain.maker
    else:
        maker = kpm.LMSR(liquidity, plain.prior, inventory)
        plain = plain.replace(risk_aversion=maker.risk_aversion, ambiguity=0.0)
    given = kpm.Market(plain.payoffs, claims=plain.claims, states=plain.states, maker=maker)
    for grids in (
        {"ambiguity": RADII},
        {"risk_aversion": [1e-3, 1e-2]},
        {"prior": {"even": np.full(5, 0.2)}},
        {},
    ):
        found, expected = (kpm.sweep(market, orders, **grids) for market in (given, plain))
        assert repr(without_time(found)) == repr(without_time(expected))
        assert repr(found.implied) == repr(expected.implied)
    assert str(kpm.advise(given, orders)) == str(kpm.advise(plain, orders))


@pytest.mark.parametrize("name", ["prior", "risk_aversion", "ambiguity"])
def test_one_parameter_of_a_given_maker_is_replaced(name: str) -> None:
    values = {"prior": [0.25, 0.75], "risk_aversion": 3.0, "ambiguity": 0.5}
    own = {"prior": [0.5, 0.5], "risk_aversion": 2.0, "ambiguity": 0.25}
    given = kpm.Market(np.eye(2), maker=kpm.KnightianMaker(**own, inventory=[1, 2]))
    replaced = given.replace(**{name: values[name]})
    assert replaced == kpm.Market(np.eye(2), inventory=[1, 2], **{**own, name: values[name]})
    assert given.replace() == given
    with pytest.raises(kpm.InputError, match=f"^{name}: WorstStateMaker has none"):
        kpm.Market(np.eye(2), maker=kpm.WorstStateMaker(2)).replace(**{name: values[name]})
    with pytest.raises(kpm.InputError, match="already given by the maker"):
        given.replace(maker=kpm.WorstStateMaker(2), **{name: values[name]})
