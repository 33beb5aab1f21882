"""The real books of shared/data: loaded, written back and cleared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import command as cli

JOINT = Path("betfair_joint", "winplace_1.208011114")
CELL_LIMIT = 100_000
#: Books of no more cells than that, uncrossed.
SMALL = ["1.200806927_off", "1.252877428_snap"]


def books(shared_data: Path) -> list[Path]:
    return sorted(path.parent for path in shared_data.glob("*/*/claims.csv"))


def thinned(orders: kpm.Orders, claims: Iterable[str], levels: int) -> kpm.Orders:
    """Only the given claims, and of those the orders at the best `levels` limits of each side."""

    def rows() -> Iterator[int]:
        for claim in claims:
            for side in (+1, -1):
                on_side = (np.array(orders.claim) == claim) & (orders.side == side)
                limits = np.unique(orders.price[on_side])
                best = limits[-levels:] if side > 0 else limits[:levels]
                yield from np.flatnonzero(on_side & np.isin(orders.price, best))

    kept = sorted(rows())
    return kpm.Orders(
        [orders.claim[row] for row in kept],
        orders.side[kept],
        orders.price[kept],
        orders.quantity[kept],
        order_id=[orders.order_id[row] for row in kept],
    )


def is_crossed(orders: kpm.Orders) -> bool:
    """Whether the best bid for some claim is at least its best offer."""
    labels = np.array(orders.claim)
    for claim in set(orders.claim):
        bids = orders.price[(labels == claim) & (orders.side > 0)]
        offers = orders.price[(labels == claim) & (orders.side < 0)]
        if bids.max(initial=-np.inf) >= offers.min(initial=np.inf):
            return True
    return False


def with_opinion(market: kpm.Market, power: float) -> kpm.Market:
    """The market under the prior to a power, renormalised: a maker who disagrees with the crowd."""
    weights = market.prior**power
    return market.replace(prior=weights / weights.sum(), risk_aversion=0.01, ambiguity=0.001)


def test_all_books_load_and_are_written_back(shared_data: Path, tmp_path: Path) -> None:
    folders = books(shared_data)
    assert len(folders) == 19
    for folder in folders:
        market, orders = kpm.read_book(folder)
        meta = json.loads((folder / "meta.json").read_text())
        assert market.payoffs.shape == (meta["K"], meta["N"]), folder
        assert len(orders) == meta["J"], folder
        kpm.write_book(tmp_path / folder.name, market, orders)
        assert kpm.read_book(tmp_path / folder.name) == (market, orders), folder


@pytest.mark.parametrize("opinion", [None, 1.5, 0.67])
def test_all_books_are_proved(shared_data: Path, opinion: float | None) -> None:
    """To the default tolerance, with certificates that pass their check."""
    for folder in books(shared_data):
        market, orders = kpm.read_book(folder)
        if opinion is not None:
            market = with_opinion(market, opinion)
        result = kpm.clear(market, orders, certificate=True)
        assert result.status is kpm.Status.OPTIMAL, folder
        assert result.gap <= 1e-8 * result.scale, folder
        if opinion is None:  # the prior is the crowd's: only orders that cross trade
            assert (result.volume > 0) == is_crossed(orders), folder
        elif folder.name in SMALL:
            assert result.volume > 0.0, folder
            assert result.gain > 0.0, folder
        result.verify().raise_if_failed()
        kpm.check_certificate(market, orders, result).raise_if_failed()


def test_all_books_are_enumerated_or_refused(shared_data: Path) -> None:
    cleared = []
    for folder in books(shared_data):
        market, orders = kpm.read_book(folder)
        pieces = tuple(len(steps) for steps in kpm.staircases(market, orders))
        if math.prod(pieces) > CELL_LIMIT:
            with pytest.raises(kpm.TooManyCellsError, match="cells, more than the limit") as caught:
                kpm.clear(market, orders, "enumerate", cell_limit=CELL_LIMIT)
            assert (caught.value.cells, caught.value.pieces) == (math.prod(pieces), pieces)
            continue
        result = kpm.clear(market, orders, "enumerate", cell_limit=CELL_LIMIT)
        assert result.status is kpm.Status.OPTIMAL, folder
        assert result.volume == 0.0, folder  # uncrossed, and the prior is the crowd's
        result.verify().raise_if_failed()
        cleared.append(folder.name)
    assert cleared == SMALL


def test_the_joint_book_is_refused_with_its_cells(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["clear", str(shared_data / JOINT), "--method", "enumerate"]
    assert cli.main(command) == cli.EXIT_REFUSED
    _, err = capsys.readouterr()
    assert err.startswith(
        "kpm-fast: the book has 3.6e+12 (exactly 3556576955295) cells, more than "
    )
    assert "WIN_R01 23" in err
    assert "--cell-limit" in err


@pytest.mark.parametrize(
    "claims",
    [
        ("WIN_R01", "WIN_R02", "WIN_R03"),
        ("WIN_R01", "PLACE_R01", "PLACE_R02"),
        ("PLACE_R03", "PLACE_R04", "PLACE_R05"),
    ],
)
@pytest.mark.parametrize("power", [1.0, 3.0, 0.33])
@pytest.mark.parametrize("method", ["branch-and-bound", "enumerate"])
def test_the_thinned_joint_book_clears(
    shared_data: Path, claims: tuple[str, ...], power: float, method: str
) -> None:
    market, orders = kpm.read_book(shared_data / JOINT)
    result = kpm.clear(with_opinion(market, power), thinned(orders, claims, 2), method)
    assert result.stats.cells == 9**3  # two bids and two offers per claim, all at distinct limits
    assert result.status is kpm.Status.OPTIMAL
    if power == 3.0:  # an opinion stronger than these wide spreads, whatever the claims
        assert result.volume > 0.0
    result.verify().raise_if_failed()


def test_the_thinned_joint_book_clears_from_the_command_line(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    market, orders = kpm.read_book(shared_data / JOINT)
    kpm.write_book(tmp_path, market, thinned(orders, ("WIN_R01", "WIN_R02", "PLACE_R01"), 2))
    assert cli.main(["clear", str(tmp_path), "--verify"]) == cli.EXIT_OK
    out = capsys.readouterr().out
    assert "20 states, 10 claims, 12 orders, 729 cells" in out
    assert "checks passed" in out


def test_what_a_solver_leaves_over_is_no_trade(shared_data: Path) -> None:
    """Demand of 4e-11 of the notional, worth less than none, once led to a search in its units."""
    (path,) = shared_data.glob("*/1.208011084_snap")
    crowd, orders = kpm.read_book(path)
    weights = crowd.prior**1.5
    span = np.ptp(crowd.payoffs, axis=1)
    notional = float(span[orders.claim_index(crowd)] @ orders.quantity)
    market = crowd.replace(
        prior=weights / weights.sum(), ambiguity=0.01, risk_aversion=0.1 / notional
    )
    result = kpm.clear(market, orders, threads=1)
    assert result.status is kpm.Status.OPTIMAL
    assert result.stats.relaxations == 0
    np.testing.assert_array_equal(result.fills, 0.0)
    result.verify().raise_if_failed()
