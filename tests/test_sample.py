"""The generators of books: deterministic, valid, and with the statistics of docs/samples.md."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast import InputError, Market, Orders, read_book, sample, write_book
from kpm_fast.cli import sample as command
from kpm_fast.sample.assemble import rounded_prior
from kpm_fast.sample.draws import Draws
from kpm_fast.sample.ladder import odds_ladder, tick_ladder

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "race_card"
Generator = Callable[..., tuple[Market, Orders]]
GENERATORS = list(sample.KINDS.values())


def distances_to_mid(market: Market, orders: Orders) -> tuple[np.ndarray, np.ndarray]:
    """|ln(price / mid)| of each order and the relative spread of each claim with two sides."""
    claim = orders.claim_index(market)
    distances, spreads = [], []
    for k in range(len(market.claims)):
        bids = orders.price[(claim == k) & (orders.side > 0)]
        offers = orders.price[(claim == k) & (orders.side < 0)]
        if bids.size and offers.size:
            best_bid, best_offer = bids.max(), offers.min()
            mid = math.sqrt(best_bid * best_offer)
            distances.append(np.abs(np.log(np.concatenate([bids, offers]) / mid)))
            spreads.append((best_offer - best_bid) / (0.5 * (best_bid + best_offer)))
    return np.concatenate(distances), np.array(spreads)


def same_book(left: tuple[Market, Orders], right: tuple[Market, Orders]) -> bool:
    return left[0] == right[0] and left[1] == right[1]


# -- determinism --------------------------------------------------------------------------------


def test_uniform_draws_are_those_of_the_bit_generator() -> None:
    """Fixed numbers: they come straight from PCG64, whose stream NumPy guarantees."""
    draws = Draws(0)
    assert [draws.uniform() for _ in range(3)] == pytest.approx(
        [0.6369616873214543, 0.2697867137638703, 0.04097352393619469], abs=1e-15
    )


def test_shuffling_keeps_every_item() -> None:
    assert sorted(Draws(3).shuffled(range(50))) == list(range(50))


@pytest.mark.parametrize("generate", GENERATORS)
def test_same_seed_same_book(generate: Generator) -> None:
    assert same_book(generate(seed=5), generate(seed=5))


@pytest.mark.parametrize("generate", GENERATORS)
def test_another_seed_is_another_book(generate: Generator) -> None:
    assert not same_book(generate(seed=5), generate(seed=6))


def test_example_is_what_its_generator_writes(tmp_path: Path) -> None:
    write_book(tmp_path, *sample.example_race_card())
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shipped = {path.name: path.read_bytes() for path in EXAMPLE.iterdir()}
    assert written == shipped


def test_example_command_of_its_readme(tmp_path: Path) -> None:
    readme = (EXAMPLE.parent / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in readme.splitlines() if line.startswith("kpm-fast sample")]
    words = line.split()[1:]
    words[words.index("--output") + 1] = str(tmp_path)
    assert run_command(words) == 0
    assert (tmp_path / "orders.csv").read_bytes() == (EXAMPLE / "orders.csv").read_bytes()


# -- shape --------------------------------------------------------------------------------------


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize("seed", range(4))
def test_books_survive_being_written_and_read(
    generate: Generator, seed: int, tmp_path: Path
) -> None:
    book = generate(seed=seed)
    write_book(tmp_path, *book)
    assert same_book(read_book(tmp_path), book)


@pytest.mark.parametrize("generate", GENERATORS)
def test_prices_lie_within_the_payoffs_and_quantities_are_positive(generate: Generator) -> None:
    market, orders = generate(seed=2)
    payoffs = market.payoffs[orders.claim_index(market)]
    assert (orders.price > payoffs.min(axis=1)).all()
    assert (orders.price < payoffs.max(axis=1)).all()
    assert (orders.quantity >= 0.01).all()
    assert np.array_equal(orders.quantity, orders.quantity.round(2))
    assert np.array_equal(orders.price, orders.price.round(6))


@pytest.mark.parametrize("generate", GENERATORS)
def test_levels_bound_the_number_of_orders(generate: Generator) -> None:
    market, orders = generate(levels=(2, 3), seed=1)
    claim = orders.claim_index(market)
    for side, most in ((1, 2), (-1, 3)):
        counts = np.bincount(claim[orders.side == side], minlength=len(market.claims))
        assert counts.max() == most


@pytest.mark.parametrize("generate", GENERATORS)
def test_books_without_arrivals_do_not_cross_and_repeat_no_price(generate: Generator) -> None:
    market, orders = generate(seed=3, crossed=0.0)
    _, spreads = distances_to_mid(market, orders)
    assert (spreads > 0.0).all()
    keys = list(zip(orders.claim_index(market), orders.side, orders.price, strict=True))
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("generate", GENERATORS)
def test_arrivals_cross(generate: Generator) -> None:
    _, spreads = distances_to_mid(*generate(seed=3, crossed=0.3))
    assert np.median(spreads) < 0.0


def test_opinion_tilts_the_prior_and_nothing_else() -> None:
    market, orders = sample.race_card(seed=4)
    bold, same_orders = sample.race_card(seed=4, opinion=2.0)
    assert orders == same_orders
    expected = market.prior**2 / (market.prior**2).sum()
    assert bold.prior == pytest.approx(expected, abs=5e-6)


def test_empty_book() -> None:
    _, orders = sample.race_card(levels=0)
    assert len(orders) == 0


# -- the kinds ----------------------------------------------------------------------------------


def test_race_card_has_one_security_a_runner() -> None:
    market, _ = sample.race_card(runners=24)
    assert np.array_equal(market.payoffs, np.eye(24))
    assert market.claims == market.states


def test_win_place_pays_one_winner_and_two_placed_in_every_state() -> None:
    market, _ = sample.win_place(runners=5)
    win, place = market.payoffs[:5], market.payoffs[5:]
    assert market.payoffs.shape == (10, 20)
    assert (win.sum(axis=0) == 1.0).all()
    assert (place.sum(axis=0) == 2.0).all()
    assert (place >= win).all()


@pytest.mark.parametrize(("states", "strikes"), [(2, 1), (3, 2), (15, 5), (16, 15), (200, 7)])
def test_option_strip_obeys_parity(states: int, strikes: int) -> None:
    market, _ = sample.option_strip(states=states, strikes=strikes, levels=2)
    assert market.payoffs.shape == (4 * strikes - 1, states)
    calls, puts = market.payoffs[:strikes], market.payoffs[strikes : 2 * strikes]
    digitals, ranges = market.payoffs[2 * strikes : 3 * strikes], market.payoffs[3 * strikes :]
    forward = calls - puts  # index less strike
    assert np.ptp(np.diff(forward, axis=0), axis=1) == pytest.approx(0.0, abs=1e-9)
    assert np.array_equal(digitals, (forward > 0.0).astype(float))
    assert np.array_equal(ranges, digitals[:-1] - digitals[1:])


@pytest.mark.parametrize("states", ["differences", "scores"])
def test_football_handicaps_are_complements(states: str) -> None:
    market, _ = sample.football(states, levels=1)
    payoff = dict(zip(market.claims, market.payoffs, strict=True))
    assert (payoff["Home"] + payoff["Draw"] + payoff["Away"] == 1.0).all()
    for start in ("0.5", "1.5", "2.5", "3.5"):
        assert (payoff[f"Home -{start}"] + payoff[f"Away +{start}"] == 1.0).all()
        assert (payoff[f"Home +{start}"] + payoff[f"Away -{start}"] == 1.0).all()
    assert np.array_equal(payoff["Home"], payoff["Home -0.5"])


def test_football_totals_follow_the_score() -> None:
    market, _ = sample.football("scores", levels=1, goals=2)
    payoff = dict(zip(market.claims, market.payoffs, strict=True))
    over = dict(zip(market.states, payoff["Over 2.5"], strict=True))
    assert over["1-1"] == 0.0
    assert over["2-1"] == 1.0
    assert over["other D=0"] == 1.0  # three goals each at least
    assert (payoff["Over 2.5"] + payoff["Under 2.5"] == 1.0).all()


# -- calibration: the figures of docs/samples.md --------------------------------------------------


def pooled(generate: Generator, **options: object) -> dict[str, float]:
    stakes, distances, spreads, orders_per_claim, offers = [], [], [], [], []
    for seed in range(10):
        market, orders = generate(seed=seed, **options)
        distance, spread = distances_to_mid(market, orders)
        stakes.append(orders.price * orders.quantity)
        distances.append(distance)
        spreads.append(spread)
        orders_per_claim.append(len(orders) / len(market.claims))
        offers.append(float((orders.side < 0).mean()))
    money, distance = np.concatenate(stakes), np.concatenate(distances)
    return {
        "orders per claim": float(np.mean(orders_per_claim)),
        "share of offers": float(np.mean(offers)),
        "stake": float(np.median(money)),
        "stake ln sd": float(np.log(money).std()),
        "spread": float(np.median(np.concatenate(spreads))),
        "lower": float(np.quantile(distance, 0.25)),
        "median": float(np.median(distance)),
        "upper": float(np.quantile(distance, 0.75)),
    }


@pytest.mark.parametrize("generate", [sample.race_card, sample.win_place])
def test_liquid_books_have_the_documented_statistics(generate: Generator) -> None:
    found = pooled(generate, runners=6, crossed=0.0)
    assert 40 <= found["orders per claim"] <= 59
    assert 0.56 <= found["share of offers"] <= 0.64
    assert 9 <= found["stake"] <= 22
    assert 2.2 <= found["stake ln sd"] <= 2.7
    assert 0.03 <= found["spread"] <= 0.06
    assert 0.11 <= found["lower"] <= 0.25
    assert 0.32 <= found["median"] <= 0.61
    assert 0.79 <= found["upper"] <= 1.59


def test_thin_books_have_the_documented_statistics() -> None:
    found = pooled(sample.race_card, runners=14, crossed=0.0, liquidity="thin")
    assert 18 <= found["orders per claim"] <= 37
    assert 2 <= found["stake"] <= 15
    assert 0.5 <= found["spread"] <= 1.6
    assert 0.39 <= found["lower"] <= 0.68
    assert 0.57 <= found["median"] <= 1.34
    assert 1.08 <= found["upper"] <= 2.14


def test_windows_have_the_documented_statistics() -> None:
    found = pooled(sample.race_card, runners=6, crossed=0.3)
    assert -0.39 <= found["spread"] <= -0.11
    assert 0.03 <= found["lower"] <= 0.06
    assert 0.09 <= found["median"] <= 0.54
    assert 0.19 <= found["upper"] <= 1.47


# -- pieces -------------------------------------------------------------------------------------


def test_odds_ladder() -> None:
    ladder = odds_ladder()
    assert len(ladder) == 350
    assert ladder.prices[0] == 0.001
    assert ladder.prices[-1] == round(1 / 1.01, 6)
    assert all(np.diff(ladder.prices) > 0.0)


def test_ladder_look_ups() -> None:
    ladder = tick_ladder(0.25, 1.0)
    assert ladder.prices == (0.25, 0.5, 0.75)
    assert (ladder.at_most(0.2), ladder.at_most(0.5), ladder.at_most(9.0)) == (-1, 1, 2)
    assert (ladder.at_least(0.2), ladder.at_least(0.5), ladder.at_least(9.0)) == (0, 1, 3)
    assert (ladder.nearest(0.0), ladder.nearest(0.6), ladder.nearest(9.0)) == (0, 1, 2)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0, 1.0], [1e-12, 1.0, 1e-12], [0.3, 0.3, 0.4]])
def test_rounded_prior_sums_to_one_in_decimals(weights: list[float]) -> None:
    units = [round(p * 10**6) for p in rounded_prior(weights)]
    assert sum(units) == 10**6
    assert min(units) >= 1


@pytest.mark.parametrize("kind", sample.KINDS)
@pytest.mark.parametrize("opinion", [1000.0, -1000.0, 1e300, -1e300, 0.0])
def test_opinions_of_any_strength(kind: str, opinion: float) -> None:
    market, _ = sample.KINDS[kind](levels=1, opinion=opinion)
    plain, _ = sample.KINDS[kind](levels=1)
    if opinion:
        favoured = plain.prior.argmax() if opinion > 0 else market.prior.argmax()
        extreme = plain.prior.max() if opinion > 0 else plain.prior.min()
        assert market.prior.argmax() == favoured
        assert abs(plain.prior[favoured] - extreme) <= 2e-6
        assert market.prior.min() == 1e-6
    else:
        assert np.ptp(market.prior) <= 2e-6


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: sample.race_card(runners=1), "runners"),
        (lambda: sample.race_card(runners=25), "runners"),
        (lambda: sample.win_place(runners=2), "runners"),
        (lambda: sample.race_card(levels=-1), "levels"),
        (lambda: sample.race_card(crossed=1.5), "crossed"),
        (lambda: sample.race_card(crossed=math.nan), "crossed"),
        (lambda: sample.race_card(opinion=math.inf), "opinion"),
        (lambda: sample.race_card(opinion="high"), "opinion"),  # type: ignore[arg-type]
        (lambda: sample.race_card(liquidity="deep"), "liquidity"),  # type: ignore[arg-type]
        (lambda: sample.option_strip(states=1), "states"),
        (lambda: sample.option_strip(states=5, strikes=5), "strikes"),
        (lambda: sample.option_strip(volatility=-0.2), "volatility"),
        (lambda: sample.football("goals"), "states"),  # type: ignore[arg-type]
        (lambda: sample.football(lines=5), "lines"),
        (lambda: sample.football("scores", goals=0), "goals"),
        (lambda: sample.race_card(risk_aversion=0.0), "risk_aversion"),
        (lambda: sample.race_card(seed=-1), "seed"),
    ],
)
def test_bad_options_are_named(call: Callable[[], object], field: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field


# -- command ------------------------------------------------------------------------------------


def run_command(words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(words))


@pytest.mark.parametrize("kind", sample.KINDS)
def test_command_writes_a_readable_book(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "book"
    assert run_command(["sample", kind, "--levels", "1,2", "--output", str(folder)]) == 0
    assert same_book(read_book(folder), sample.KINDS[kind](levels=(1, 2)))
    assert str(folder) in capsys.readouterr().out


def test_command_takes_underscores_and_own_options(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert run_command(["sample", "race_card", "--runners", "3", "--output", folder]) == 0
    assert read_book(folder)[0].payoffs.shape == (3, 3)
    assert (
        run_command(["sample", "option_strip", "--states", "7", "--force", "--output", folder]) == 0
    )
    assert len(read_book(folder)[0].prior) == 7
    assert (
        run_command(["sample", "football", "--states", "scores", "--force", "--output", folder])
        == 0
    )
    assert len(read_book(folder)[0].prior) == 25


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "football", "--runners", "3"],
        ["sample", "race-card", "--goals", "3"],
        ["sample", "option-strip", "--states", "many"],
    ],
)
def test_command_refuses_options_of_other_kinds(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--"):
        run_command([*words, "--output", str(tmp_path / "book")])
    assert not (tmp_path / "book").exists()


@pytest.mark.parametrize("levels", ["x", "1,2,3", "", "1.5"])
def test_command_explains_levels(levels: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command(["sample", "race-card", "--levels", levels])
    assert "must be one or two whole numbers" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["race-card", "football", "option-strip", "win-place"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_maker_trades_with_a_book_it_disagrees_with(kind: str, seed: int) -> None:
    """Its ambiguity is below the implied one, from which on nothing trades (theorem B)."""
    market, orders = sample.KINDS[kind](levels=3, seed=seed, opinion=1.5, crossed=0.0)
    default = kpm.Market(market.payoffs, market.prior).ambiguity
    assert market.ambiguity == default
    assert default < kpm.implied_ambiguity(market, orders)
    assert kpm.clear(market, orders).volume > 0
