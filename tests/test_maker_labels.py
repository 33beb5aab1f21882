"""Makers know their states by label: labelled input is aligned, other labels are refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import kpm_fast as kpm

pytestmark = pytest.mark.cross_section

STATES = ("H", "D", "A")
PI = {"H": 0.5, "D": 0.3, "A": 0.2}
TURNED = {"A": 0.2, "H": 0.5, "D": 0.3}
WEALTH = {"D": 2.0, "A": 3.0, "H": 1.0}
OTHER = {"H": 0.2, "D": 0.3, "A": 0.5}

#: Made in the order of the market, and in another: the same makers.
PAIRS = {
    "knightian": lambda pi, w: kpm.KnightianMaker(pi, 0.1, 0.05, w),
    "lmsr": lambda pi, w: kpm.LMSR(10.0, pi, w),
    "lmsr of wealth": lambda pi, w: kpm.LMSR(10.0, inventory={name: w[name] for name in pi}),
    "starting orders": lambda pi, w: kpm.StartingOrders(pi, w),
    "worst state": lambda pi, w: kpm.WorstStateMaker(list(pi), w),
    "polytope": lambda pi, w: kpm.PolytopeMaker(
        {"first": pi, "second": {name: OTHER[name] for name in pi}}, 0.1, w
    ),
    "utility": lambda pi, w: kpm.UtilityMaker(pi, 50.0, w),
    "quadratic": lambda pi, w: kpm.QuadraticMaker(pi, 50.0, w),
}


@pytest.mark.parametrize("make", PAIRS.values(), ids=PAIRS)
def test_a_market_aligns_its_maker(make):
    payoffs = {"home": {"D": 0, "H": 1, "A": 0}, "no draw": {"H": 1, "D": 0, "A": 1}}
    straight, turned = make(PI, WEALTH), make(TURNED, WEALTH)
    assert straight.labels == STATES
    assert turned.labels == tuple(TURNED)
    one = kpm.Market(np.array([[1, 0, 0], [1, 0, 1]]), states=STATES, maker=straight)
    two = kpm.Market(np.array([[1, 0, 0], [1, 0, 1]]), states=STATES, maker=turned)
    assert one == two
    assert one.inventory.tolist() == [1, 2, 3]
    assert one.maker == straight
    named = kpm.Market(payoffs, maker=turned)
    assert named.states == ("D", "H", "A")
    assert named.inventory.tolist() == [2, 1, 3]
    for market in (one, named):
        assert market.maker.labels == market.states
    ask = one.maker.quotes(payoffs, 1.0)["ask"]
    for maker in (turned, named.maker, pickle.loads(pickle.dumps(turned))):
        assert maker.quotes(payoffs, 1.0)["ask"] == pytest.approx(ask, rel=1e-13)
        assert maker.quotes(named, 1.0)["ask"] == pytest.approx(ask, rel=1e-13)
        assert maker.cost(WEALTH) == pytest.approx(straight.cost([1, 2, 3]), rel=1e-13)
    trade, after = turned.trade(payoffs["home"], "buy", np.inf, 2.0)
    assert after.labels == turned.labels
    assert after.inventory[1] == pytest.approx(WEALTH["H"] - 2.0)
    expected, _ = straight.trade([1, 0, 0], "buy", np.inf, 2.0)
    assert trade.payment == pytest.approx(expected.payment, rel=1e-13)
    assert turned.replace(inventory=WEALTH) == turned
    assert turned != straight


@pytest.mark.parametrize("make", PAIRS.values(), ids=PAIRS)
def test_other_labels_are_refused_with_both_sets(make):
    maker = make(PI, WEALTH)
    for ask in (
        lambda: kpm.Market(np.eye(3), states=["H", "D", "X"], maker=maker),
        lambda: kpm.Market({"home": {"H": 1, "D": 0, "X": 0}}, maker=maker),
        lambda: maker.quotes({"home": {"H": 1, "D": 0, "X": 0}}),
        lambda: maker.cost({"H": 1, "D": 0, "X": 0}),
        lambda: maker.replace(inventory={"H": 1, "D": 0, "X": 0}),
        lambda: kpm.UtilityMaker(PI, 1.0, {"H": 1, "D": 0, "X": 0}),
    ):
        with pytest.raises(kpm.InputError, match=r"'X'.*") as caught:
            ask()
        assert "'A'" in str(caught.value)


def test_a_market_names_the_states_of_a_maker_without_labels():
    maker = kpm.LMSR(10.0, [0.5, 0.3, 0.2])
    market = kpm.Market(np.eye(3), states=STATES, maker=maker)
    assert market.maker.labels == STATES
    assert maker.labels == ("0", "1", "2")
    quotes = market.maker.quotes({"not home": {"A": 1, "D": 1, "H": 0}})
    assert quotes["bid"][0] == pytest.approx(0.5, rel=1e-13)
    own = kpm.Market(np.eye(3), PI, states=STATES).maker
    assert own.labels == STATES
    plain = kpm.Market(np.eye(3), maker=kpm.LMSR(10.0, PI))
    assert plain.states == STATES
    # An unbound LMSR has no states yet, and takes those of its first market.
    lmsr = kpm.LMSR(10.0)
    assert (lmsr.states, lmsr.inventory.tolist()) == (0, [])
    assert kpm.Market(np.eye(3), states=STATES, maker=lmsr).maker.labels == STATES


def test_integers_are_labels_by_their_digits():
    pandas = pytest.importorskip("pandas")
    maker = kpm.LMSR(10.0, pandas.Series([0.2, 0.3, 0.5], index=[2, 1, 0]))
    assert maker.prior.tolist() == [0.5, 0.3, 0.2]
    assert maker == kpm.LMSR(10.0, [0.5, 0.3, 0.2])
    turned = kpm.Market(np.eye(3), states=["2", "1", "0"], maker=maker)
    assert turned.maker.prior.tolist() == [0.2, 0.3, 0.5]
    # An array has no labels: it is in the order of the market.
    plain = kpm.Market(np.eye(3), states=["2", "1", "0"], maker=kpm.LMSR(10.0, [0.5, 0.3, 0.2]))
    assert plain.maker.prior.tolist() == [0.5, 0.3, 0.2]


@pytest.mark.parametrize("names", [("0", "1", "2"), ("1", "2", "0"), ("2", "1", "0"), STATES])
def test_a_labelled_market_is_quoted_by_label(names):
    """Whatever the labels look like: those of numbers are labels where the maker has them."""
    belief = dict(zip(names, (0.5, 0.3, 0.2), strict=True))
    owner = kpm.Market(np.eye(3), belief, states=names).maker
    assert owner.labels == names
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        states = [names[place] for place in order]
        row = {state: float(state == names[0]) for state in states}
        market = kpm.Market({"first": row}, dict.fromkeys(states, 1 / 3))
        assert market.states == tuple(states)
        for quotes in (owner.quotes(market), owner.quotes({"first": row})):
            middle = (quotes["bid"][0] + quotes["ask"][0]) / 2
            assert middle == pytest.approx(
                owner.quotes([[1, 0, 0]])["bid"][0] / 2 + owner.quotes([[1, 0, 0]])["ask"][0] / 2
            )
    # A market of arrays has no labels, and is in the order of a maker with labels of its own.
    if names == STATES:
        plain = kpm.Market([[1, 0, 0]], [0.2, 0.3, 0.5])
        assert owner.quotes(plain).ask.tolist() == owner.quotes([[1, 0, 0]]).ask.tolist()


@pytest.mark.parametrize("make", PAIRS.values(), ids=PAIRS)
def test_other_states_in_a_market_rename_what_its_maker_has(make):
    """As they rename the prior of a market without ``maker=``: nothing changes its place."""
    market = kpm.Market(np.eye(3), states=STATES, maker=make(PI, WEALTH))
    for names in (("A", "H", "D"), ("x", "y", "z"), None):
        renamed = market.replace(states=names)
        assert renamed.states == (names or ("0", "1", "2")) == renamed.maker.labels
        assert renamed.payoffs.tolist() == market.payoffs.tolist()
        assert renamed.inventory.tolist() == [1, 2, 3]
        for name, value in vars(market.maker).items():
            if isinstance(value, np.ndarray):
                assert getattr(renamed.maker, name).tolist() == value.tolist()
        assert renamed.replace(states=STATES) == market
    turned = market.replace(states=["A", "H", "D"], inventory={"H": 5.0, "D": 6.0, "A": 7.0})
    assert turned.inventory.tolist() == [7, 5, 6]
    with pytest.raises(kpm.InputError, match="states: must have a label for each of 3"):
        market.replace(states=["x", "y"])


@pytest.mark.parametrize("make", PAIRS.values(), ids=PAIRS)
def test_a_maker_with_labels_keeps_as_many_states(make):
    maker = make(PI, WEALTH)
    wide = {
        name: np.full((2, 4) if name == "priors" else 4, 0.25)
        for name, value in vars(maker).items()
        if isinstance(value, np.ndarray)
    }
    with pytest.raises(kpm.InputError, match=r"must have 3 states, as the labels|shape \(3,\)"):
        maker.replace(**wide)


def test_other_states_of_a_worst_state_maker_are_its_labels():
    maker = kpm.WorstStateMaker(["a", "b"], [5.0, 0.0])
    for states in (["b", "a"], ["c", "d"]):
        assert maker.replace(states=states).labels == tuple(states)
        assert maker.replace(states=states).inventory.tolist() == [5, 0]
    assert maker.replace(states=["b", "a"], inventory={"a": 1, "b": 2}).inventory.tolist() == [2, 1]
    wide = maker.replace(states=3, inventory=[0, 1, 2])
    assert (wide.states, wide.labels) == (3, ("0", "1", "2"))
    with pytest.raises(kpm.InputError, match=r"inventory: must have shape \(3,\)"):
        maker.replace(states=3)
