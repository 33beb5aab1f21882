"""Market: copies, labels, normalisation, files."""

from __future__ import annotations

import dataclasses
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm


def market() -> kpm.Market:
    return kpm.Market(
        [[1, 0, 0], [0.5, -1, 2]],
        [0.2, 0.3, 0.5],
        inventory=[1, 2, 3],
        risk_aversion=0.7,
        ambiguity=0.2,
        claims=["A", "B"],
        states=["x", "y", "z"],
    )


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults() -> None:
    plain = kpm.Market([[1, 0]], [0.5, 0.5])
    assert plain.claims == ("0",)
    assert plain.states == ("0", "1")
    assert plain.inventory.tolist() == [0, 0]
    assert (plain.risk_aversion, plain.ambiguity) == (1.0, 0.01)
    assert kpm.Market([[1, 0]], [0.5, 0.5], None, None, None) == plain


def test_arrays_are_read_only_copies() -> None:
    payoffs = np.asfortranarray([[1.0, 0.0], [0.0, 1.0]])
    given = kpm.Market(payoffs, [0.5, 0.5])
    payoffs[0, 0] = 7
    assert given.payoffs[0, 0] == 1
    for array in (given.payoffs, given.prior, given.inventory):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_fields_cannot_be_assigned() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        market().ambiguity = 3.0  # type: ignore[misc]


@pytest.mark.parametrize("ambiguity", [0, 0.0, 5, math.inf])
def test_ambiguity_may_be_zero_or_infinite(ambiguity: float) -> None:
    assert kpm.Market([[1]], [1.0], ambiguity=ambiguity).ambiguity == ambiguity


def test_prior_is_normalised_once() -> None:
    weights = np.random.default_rng(1).random(50)
    rough = weights / weights.sum() * (1 + 5e-10)
    prior = kpm.Market(np.ones((1, 50)), rough).prior
    assert abs(math.fsum(prior) - 1) <= 2.0**-52
    assert kpm.Market(np.ones((1, 50)), prior).prior.tobytes() == prior.tobytes()


def test_equality_and_replace() -> None:
    assert market() == market()
    assert market() != market().replace(ambiguity=0.3)
    assert market() != market().replace(inventory=[1, 2, 4])
    assert market() != market().replace(states=["x", "y", "w"])
    assert market() != "market"
    assert market().replace(prior=[0.1, 0.4, 0.5]).prior[0] == 0.1
    assert dataclasses.replace(market(), risk_aversion=2.0).risk_aversion == 2
    with pytest.raises(TypeError, match="colour"):
        market().replace(colour="red")
    with pytest.raises(kpm.InputError, match="prior"):
        market().replace(prior=[1, 2, 3])


#: A maker of each kind that has what a market is asked for, and what may stand beside it.
GIVEN: list[kpm.Maker] = [
    kpm.KnightianMaker([0.5, 0.5], 1.0, 0.5),
    kpm.KnightianMaker([0.5, 0.5], 1.0, 0.01, [0, 0]),
    kpm.WorstStateMaker(2),
]


@pytest.mark.parametrize("maker", GIVEN)
@pytest.mark.parametrize(
    "beside",
    [
        {"prior": [0.5, 0.5]},
        {"inventory": [0.0, 0.0]},
        {"risk_aversion": 1.0},
        {"ambiguity": 0.01},
        {"normalize": True},
    ],
)
def test_what_a_maker_has_is_not_given_beside_it(maker: kpm.Maker, beside: dict[str, Any]) -> None:
    """Not even a default: it would be ignored where the maker has another value."""
    (name,) = beside
    plain = kpm.Market([[1, 0]], [0.25, 0.75])
    for build in (
        lambda: kpm.Market([[1, 0]], maker=maker, **beside),
        lambda: plain.replace(maker=maker, **beside),
    ):
        with pytest.raises(kpm.InputError, match=rf"^{name}: is already given by the maker"):
            build()
    assert kpm.Market([[1, 0]], maker=maker, normalize=False).maker.inventory.tolist() == [0, 0]


@pytest.mark.parametrize("prior", [np.array([0.5, 0.5]), [0.5, 0.5], None])
def test_a_flag_that_is_none_is_refused_whatever_the_rest(prior: Any) -> None:
    maker = GIVEN[0] if prior is None else None
    for flag in ("maybe", None, 2):
        with pytest.raises(kpm.InputError, match="normalize: must be True or False"):
            kpm.Market(np.eye(2), prior, maker=maker, normalize=flag)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda prior: kpm.KnightianMaker(prior, 1.0, 0.1),
        lambda prior: kpm.LMSR(10.0, prior),
        lambda prior: kpm.UtilityMaker(prior, 10.0),
        lambda prior: kpm.QuadraticMaker(prior, 10.0),
    ],
)
def test_the_sum_of_a_prior_is_reported_whoever_brought_it(
    make: Callable[[Any], kpm.Maker],
) -> None:
    rough = [0.5, 0.3, 0.20001]
    expected = kpm.Market([[1, 0, 0]], rough).prior_sum
    assert expected == math.fsum(rough)
    given = kpm.Market([[1, 0, 0]], maker=make(rough))
    named = kpm.Market([[1, 0, 0]], maker=make(dict(zip("abc", rough, strict=True))))
    for one in (
        given,
        named.replace(states=["c", "b", "a"]),
        given.replace(inventory=[1, 2, 3]),
        named.replace(maker=named.maker.replace(inventory=[1, 2, 3])),
        kpm.Market([[1, 0, 0]], maker=kpm.Market([[1, 0, 0]], rough).maker),
        kpm.Market({"x": dict(zip("cab", [1, 0, 0], strict=True))}, maker=named.maker),
        pickle.loads(pickle.dumps(given)),
    ):
        assert one.prior_sum == expected
    assert given.replace(maker=make([0.5, 0.25, 0.25])).prior_sum == 1.0
    assert given.maker.replace(prior=[0.5, 0.25, 0.25]) == make([0.5, 0.25, 0.25])


@pytest.mark.parametrize("name", ["risk_aversion", "ambiguity"])
def test_none_is_no_number_to_replace_another_with(name: str) -> None:
    """It would mean the default, which nobody asked for, or make an LMSR Knightian."""
    for given in (
        kpm.Market([[1, 0]], [0.5, 0.5], ambiguity=0.1, risk_aversion=5.0),
        kpm.Market([[1, 0]], maker=kpm.LMSR(100.0, [0.5, 0.5])),
        kpm.Market([[1, 0]], maker=kpm.UtilityMaker([0.5, 0.5], 100.0)),
    ):
        with pytest.raises(kpm.InputError, match=f"^{name}: must be a number, got None$"):
            given.replace(**{name: None})


def test_a_knightian_maker_in_place_of_one_without_what_it_needs() -> None:
    """Only what is not given is asked of the present maker."""
    given = kpm.Market([[1, 0]], maker=kpm.UtilityMaker([0.5, 0.5], 100.0, [3, 1]))
    changed = given.replace(prior=[0.4, 0.6], risk_aversion=1.0, ambiguity=0.1)
    assert changed == kpm.Market([[1, 0]], [0.4, 0.6], [3, 1], 1.0, 0.1)
    with pytest.raises(kpm.InputError, match=r"^risk_aversion: UtilityMaker has none; "):
        given.replace(prior=[0.4, 0.6], risk_aversion=1.0)


def test_what_a_market_lacks_is_absent() -> None:
    """Generic code asks with hasattr and getattr, and gets no error that it does not know."""
    given = kpm.Market([[1, 0]], maker=kpm.WorstStateMaker(2))
    for name in ("prior", "risk_aversion", "ambiguity", "colour"):
        assert not hasattr(given, name)
        assert getattr(given, name, None) is None
        with pytest.raises(AttributeError):
            getattr(given, name)
    with pytest.raises(
        kpm.InputError, match="prior: the market's maker, WorstStateMaker, has none"
    ):
        given.prior  # noqa: B018
    with pytest.raises(kpm.InputError) as caught:
        given.prior  # noqa: B018
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert not type(caught.value).__name__.startswith("_")  # it shows in tracebacks


def test_pickle_of_another_release_is_refused_by_name() -> None:
    rebuild, (parameters,), _ = market().__reduce__()
    with pytest.raises(kpm.InputError, match=r"Market: was pickled by another release .*'mood'"):
        rebuild({**parameters, "mood": 1.0})


def test_pickle_keeps_arrays_read_only() -> None:
    copy = pickle.loads(pickle.dumps(market()))
    assert copy == market()
    assert not copy.payoffs.flags.writeable


def test_repr_is_short() -> None:
    text = "Market(2 claims, 3 states, risk_aversion=0.7, ambiguity=0.2)"
    assert repr(market()) == str(market()) == text


def test_from_csv_orders_states_as_the_states_file(tmp_path: Path) -> None:
    claims = write(tmp_path / "c.csv", "\ufeffclaim,z, x,y\nA,3,1,2\nB,6,4,5\n\n")
    states = write(tmp_path / "s.csv", "prior,state,note\n.2,x,?\n.3,y,?\n.5,z,?\n")
    read = kpm.Market.from_csv(claims, states, ambiguity=0.4)
    assert read.states == ("x", "y", "z")
    assert read.claims == ("A", "B")
    assert read.payoffs.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert read.prior.tolist() == [0.2, 0.3, 0.5]
    assert read.ambiguity == 0.4


def test_from_csv_inventory(tmp_path: Path) -> None:
    claims = write(tmp_path / "c.csv", "claim,x,y\nA,3,1\n")
    states = write(tmp_path / "s.csv", "state,prior,inventory\nx,.5,-7\ny,.5,8\n")
    assert kpm.Market.from_csv(claims, states).inventory.tolist() == [-7, 8]
    assert kpm.Market.from_csv(claims, states, inventory=[1, 2]).inventory.tolist() == [1, 2]


GOOD_CLAIMS = "claim,x,y\nA,1,0\nB,0,1\n"
GOOD_STATES = "state,prior\nx,0.5\ny,0.5\n"


@pytest.mark.parametrize(
    ("claims", "states", "words"),
    [
        ("", GOOD_STATES, ["c.csv", "empty"]),
        ("\n\n", GOOD_STATES, ["c.csv", "empty"]),
        ("claim,x,y\n", GOOD_STATES, ["c.csv", "at least one row"]),
        ("name,x,y\nA,1,0\n", GOOD_STATES, ["c.csv, line 1", "'claim'", "name, x, y"]),
        ("claim,x,y\nA,1,0\nB,0\n", GOOD_STATES, ["c.csv, line 3", "2 entries", "3"]),
        ("claim,x,y\n\nA,1,0\n\nB,0,1,2\n", GOOD_STATES, ["c.csv, line 5", "4 entries"]),
        ("claim,x,y\nA,1,zero\n", GOOD_STATES, ["c.csv, line 2", "y", "'zero'"]),
        ("claim,x,y\nA,1,\n", GOOD_STATES, ["c.csv, line 2", "y", "''"]),
        ("claim,x,y\nA,1,0\nB,nan,0\n", GOOD_STATES, ["c.csv, line 3", "nan"]),
        ("claim,x,y\nA,1,0\nA,0,1\n", GOOD_STATES, ["c.csv, line 3", "'A'", "line 2"]),
        ("claim,x,y\n,1,0\n", GOOD_STATES, ["c.csv, line 2", "must not be empty"]),
        ("claim,x,x\nA,1,0\n", GOOD_STATES, ["c.csv, line 1", "'x'", "twice"]),
        ("claim,x,y\nA,1,\x00\n", GOOD_STATES, ["c.csv, line 2"]),
        ('claim,x,y\nA,1,"0\n', GOOD_STATES, ["c.csv, line"]),
        ("claim,x\nA,1\n", GOOD_STATES, ["'y'", "s.csv", "c.csv"]),
        ("claim,x,y,w\nA,1,0,0\n", GOOD_STATES, ["'w'", "s.csv", "c.csv"]),
        (GOOD_CLAIMS, "", ["s.csv", "empty"]),
        (GOOD_CLAIMS, "state,prior\n", ["s.csv", "at least one row"]),
        (GOOD_CLAIMS, "state\nx\ny\n", ["s.csv, line 1", "'prior'"]),
        (GOOD_CLAIMS, "state,prior\nx,half\ny,.5\n", ["s.csv, line 2", "prior", "'half'"]),
        (GOOD_CLAIMS, "state,prior\nx,1.5\ny,-.5\n", ["s.csv, line 3", "prior", "-0.5"]),
        (GOOD_CLAIMS, "state,prior\nx,.5\ny,.4\n", ["s.csv", "prior", "0.9"]),
        (GOOD_CLAIMS, "state,prior\nx,.5\nx,.5\n", ["s.csv, line 3", "'x'", "line 2"]),
        (GOOD_CLAIMS, "state,prior,inventory\nx,.5,1\ny,.5,inf\n", ["s.csv, line 3", "inf"]),
        (
            GOOD_CLAIMS,
            "state,prior,inventry\nx,.5,1\ny,.5,1\n",
            ["s.csv, line 1", "'inventry'", "'inventory'"],
        ),
    ],
)
def test_from_csv_errors_name_file_and_line(
    tmp_path: Path, claims: str, states: str, words: list[str]
) -> None:
    claims_path = write(tmp_path / "c.csv", claims)
    states_path = write(tmp_path / "s.csv", states)
    with pytest.raises(kpm.InputError) as caught:
        kpm.Market.from_csv(claims_path, states_path)
    for word in words:
        assert word in str(caught.value)


def test_from_csv_wants_utf8(tmp_path: Path) -> None:
    claims = tmp_path / "c.csv"
    claims.write_bytes(b"claim,x,y\n\xff\xfe,1,0\n")
    with pytest.raises(kpm.InputError, match="UTF-8"):
        kpm.Market.from_csv(claims, write(tmp_path / "s.csv", GOOD_STATES))


def test_from_csv_keyword_errors_are_not_blamed_on_the_file(tmp_path: Path) -> None:
    claims = write(tmp_path / "c.csv", GOOD_CLAIMS)
    states = write(tmp_path / "s.csv", GOOD_STATES)
    with pytest.raises(kpm.InputError, match=r"^inventory\['y'\]: must be finite, got inf"):
        kpm.Market.from_csv(claims, states, inventory=[0, math.inf])
    with pytest.raises(kpm.InputError, match=r"^risk_aversion"):
        kpm.Market.from_csv(claims, states, risk_aversion=-1)


def test_a_change_that_the_maker_cannot_take_is_named() -> None:
    given = kpm.Market([[1, 0]], maker=kpm.StartingOrders([1, 1]))
    for name, value in (("ambiguity", 0.1), ("risk_aversion", 1.0), ("prior", [0.5, 0.5])):
        with pytest.raises(kpm.InputError) as caught:
            given.replace(**{name: value})
        assert str(caught.value) == (
            f"{name}: StartingOrders has none; replace(maker=...) changes the maker"
        )
        with pytest.raises(kpm.InputError) as caught:
            given.replace(maker=None, **{name: value})
        assert str(caught.value) == (
            f"{name}: StartingOrders has none; a Knightian maker needs prior, risk_aversion and "
            "ambiguity"
        )
    wealthy = kpm.Market([[1, 0]], maker=kpm.UtilityMaker([0.5, 0.5], 1.0))
    with pytest.raises(kpm.InputError, match=r"^prior: UtilityMaker has no risk_aversion to go"):
        wealthy.replace(prior=[0.25, 0.75])
