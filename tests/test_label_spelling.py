"""Labels that Unicode can spell in several ways are one label at every door, and kept as given."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from command_line import run

# An accent, a letter that decomposes into itself otherwise (the Angstrom sign), and Hangul.
CLAIMS = ("Orléans", "Åre")
STATES = ("été", "hiver", "한")
PAYOFFS = np.array([[1.0, 0, 0], [0, 1, 0.5]])
PRIOR = (0.5, 0.3, 0.2)


def decomposed(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFD", label) for label in labels)


FORMS = pytest.mark.parametrize(
    ("claims", "states"),
    [
        (CLAIMS, STATES),
        (decomposed(CLAIMS), decomposed(STATES)),
        (("Orléans", "\u212bre"), STATES),
    ],
    ids=["composed", "decomposed", "singleton"],
)
MARKET = kpm.Market(PAYOFFS, PRIOR, [1, 2, 3], claims=CLAIMS, states=STATES)


def by_state(states: tuple[str, ...], values: tuple[float, ...]) -> dict[str, float]:
    return dict(reversed(list(zip(states, values, strict=True))))


@FORMS
def test_vectors_and_tables_are_aligned(claims: tuple[str, ...], states: tuple[str, ...]) -> None:
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    prior = by_state(states, PRIOR)
    table = {"state": list(prior), "prior": list(prior.values())}
    makers = {"inventory": MARKET.inventory, "claims": CLAIMS, "states": STATES}
    for vector in (
        prior,
        pandas.Series(prior),
        pandas.DataFrame(table),
        polars.DataFrame(table),
        pyarrow.table(table),
    ):
        assert kpm.Market(PAYOFFS, vector, **makers) == MARKET
    rows = {
        claim: by_state(states, tuple(row))
        for claim, row in zip(reversed(claims), PAYOFFS[::-1], strict=True)
    }
    for payoffs in (rows, pandas.DataFrame(rows).T, polars.DataFrame(pandas.DataFrame(rows).T)):
        if isinstance(payoffs, polars.DataFrame):
            payoffs = payoffs.with_columns(claim=pandas.Series(list(rows)).to_numpy())
        assert kpm.Market(payoffs, prior, **makers) == MARKET
    assert kpm.Market(
        PAYOFFS, maker=kpm.KnightianMaker(prior, 1, 0.1), states=STATES
    ).prior.tolist() == [*PRIOR]


def doors(claims: tuple[str, ...], folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Orders for both claims, by every way to give them."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    columns = {"claim": claims, "side": ["buy"] * 2, "price": [0.6, 0.7], "quantity": [1, 2]}
    path = folder / "orders.csv"
    rows = "".join(
        f"{claim},buy,{price},1\n" for claim, price in zip(claims, (0.6, 0.7), strict=True)
    )
    path.write_text(f"claim,side,price,quantity\n{rows}", encoding="utf-8")
    yield "lists", lambda: kpm.Orders(*map(list, columns.values()))
    yield "csv", lambda: kpm.Orders.from_csv(path, MARKET)
    for name, frame in (
        ("mapping", columns),
        ("pandas", pandas.DataFrame(columns)),
        ("category", pandas.DataFrame(columns).astype({"claim": "category"})),
        ("polars", polars.DataFrame(columns)),
        ("pyarrow", pyarrow.table({name: list(column) for name, column in columns.items()})),
    ):
        yield name, lambda frame=frame: kpm.Orders.from_frame(frame, MARKET)


@FORMS
def test_orders_find_their_claim(
    claims: tuple[str, ...], states: tuple[str, ...], tmp_path: Path
) -> None:
    for name, door in doors(claims, tmp_path):
        orders = door()
        assert orders.claim_index(MARKET).tolist() == [0, 1], name
        result = kpm.clear(MARKET, orders)
        result.verify()
        assert result[claims[0]].claim == CLAIMS[0]
        assert result.settle(states[2]).state == STATES[2]
        assert result[claims[1]] == result[CLAIMS[1]]
    books = kpm.Books(MARKET, ["x", "x"], list(claims), "buy", [0.6, 0.7], 1)
    assert kpm.clear_many(books).fills.tolist() == kpm.clear(*next(iter(books))).fills.tolist()


@FORMS
def test_engines_quotes_and_priors(claims: tuple[str, ...], states: tuple[str, ...]) -> None:
    engine = kpm.Engine(MARKET)
    for claim in claims:
        engine.add(claim, "buy", 0.6, 1.0)
        engine.add(claim, "buy", 0.5, 1)
    assert engine.orders.claim_index(MARKET).tolist() == [0, 0, 1, 1]
    engine.market = MARKET.replace(claims=claims, states=states, ambiguity=0.2)
    assert engine.market.claims == claims
    with pytest.raises(kpm.InputError, match="must have the claims"):
        engine.market = MARKET.replace(claims=[*CLAIMS[:1], "autre"])
    rows = {"x": by_state(states, (1.0, 0.0, 2.0))}
    assert MARKET.maker.quotes(rows).ask.tolist() == MARKET.maker.quotes([[1, 0, 2]]).ask.tolist()
    bid = dict(zip(reversed(claims), (0.3, 0.4), strict=True))
    payoffs = {c: by_state(STATES, tuple(row)) for c, row in zip(CLAIMS, PAYOFFS, strict=True)}
    found = kpm.prior_from_quotes(payoffs, bid, dict.fromkeys(claims, 0.6))
    assert set(found) == set(STATES)


@FORMS
def test_files_and_the_command(
    claims: tuple[str, ...],
    states: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A table may spell a label otherwise than the one beside it; states.csv names the states."""
    header = ",".join(reversed(STATES))
    table = "".join(
        f"{claim},{','.join(map(str, row[::-1]))}\n"
        for claim, row in zip(CLAIMS, PAYOFFS, strict=True)
    )
    (tmp_path / "claims.csv").write_text(f"claim,{header}\n{table}", encoding="utf-8")
    priors = "".join(f"{state},{prior}\n" for state, prior in zip(states, PRIOR, strict=True))
    (tmp_path / "states.csv").write_text(f"state,prior\n{priors}", encoding="utf-8")
    list(doors(claims, tmp_path))
    market, orders = kpm.read_book(tmp_path)
    assert market == MARKET.replace(
        inventory=[0, 0, 0], states=states, risk_aversion=market.risk_aversion, ambiguity=0.01
    )
    assert orders.claim_index(market).tolist() == [0, 1]
    wealth = ",".join(
        f"{state}={value}" for state, value in zip(reversed(STATES), (3, 2, 1), strict=True)
    )
    file = tmp_path / "wealth.csv"
    file.write_text(
        "state,inventory\n" + "".join(f"{s},{v}\n" for s, v in zip(STATES, (1, 2, 3), strict=True)),
        encoding="utf-8",
    )
    for given in (wealth, file):
        assert run("clear", tmp_path, "--json", "--inventory", given) == 0
        shown = json.loads(capsys.readouterr().out)["states"]
        assert shown["inventory"] == [1, 2, 3]
        assert tuple(shown["state"]) == states
    kept = tmp_path / "kept"
    kpm.write_book(kept, MARKET.replace(claims=claims, states=states), orders)
    assert kpm.read_book(kept)[0].claims == claims
    result = kpm.clear(market, orders)
    result.save(tmp_path / "result.npz")
    assert kpm.load_result(tmp_path / "result.npz").market.states == states


def test_two_spellings_in_one_market_are_refused_naming_both(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    twice = ("é", "e\u0301")
    both = r"spelled '\\xe9' there, 'e\\u0301' here"
    for make in (
        lambda: kpm.Market(np.eye(2), [0.5, 0.5], claims=twice),
        lambda: kpm.Market(np.eye(2), [0.5, 0.5], states=twice),
        lambda: kpm.Market(np.eye(2), dict.fromkeys(twice, 0.5)),
        lambda: kpm.Market(pandas.DataFrame(np.eye(2), twice, ["a", "b"]), [0.5, 0.5]),
        lambda: kpm.Market({label: {"a": 1.0, "b": 0.0} for label in twice}, [0.5, 0.5]),
        lambda: kpm.WorstStateMaker(twice),
        lambda: kpm.uniform_prior(twice),
    ):
        with pytest.raises(kpm.InputError, match=both):
            make()
    (tmp_path / "orders.csv").write_text("claim,side,price,quantity\n")
    for claims, states in (
        (f"claim,a\n{twice[0]},1\n{twice[1]},1\n", "state,prior\na,1\n"),
        ("claim,a,b\nx,1,0\n", f"state,prior\n{twice[0]},1\n{twice[1]},1\n"),
        (f"claim,{twice[0]},{twice[1]}\nx,1,0\n", f"state,prior\n{twice[0]},1\n"),
    ):
        (tmp_path / "claims.csv").write_text(claims, encoding="utf-8")
        (tmp_path / "states.csv").write_text(states, encoding="utf-8")
        with pytest.raises(kpm.InputError, match=both):
            kpm.read_book(tmp_path)


def test_a_state_twice_in_the_command_lines_files_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kpm.write_book(tmp_path / "book", MARKET, kpm.Orders([CLAIMS[0]], 1, 0.6, 1))
    file = tmp_path / "table.csv"
    rows = "".join(f"{state},0.25\n" for state in (*STATES, decomposed(STATES)[0]))
    for column, option in (
        ("inventory", ["--inventory", file]),
        ("prior", ["--maker", f"polytope:priors={file}"]),
    ):
        file.write_text(f"state,{column}\n{rows}", encoding="utf-8")
        command = "clear" if column == "inventory" else "quotes"
        assert run(command, tmp_path / "book", *option) == 2
        assert "spelled" in capsys.readouterr().err


def test_identifiers_of_orders_are_taken_as_they_are() -> None:
    """They are the caller's keys: other systems tell them apart."""
    orders = kpm.Orders([0, 0], 1, 0.6, 1, order_id=["é", "e\u0301"])
    assert orders.order_id.tolist() == ["é", "e\u0301"]
