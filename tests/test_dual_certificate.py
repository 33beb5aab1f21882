"""Certificates of the convex rules: what they prove, what is caught, how they are kept."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import KINDS, MAKERS, as_orders, extreme_book, make_maker, random_book
from command_line import run
from kpm_fast.verification import dual_checks
from strategies import fewer
from tampering import nudged, with_each_entry_changed
from witness.auction import dual_value

pytestmark = pytest.mark.cross_section

CARD = Path(__file__).resolve().parent.parent / "examples" / "race_card"


def drawn(name: str, seed: int, rule: str = "competitive", **options: Any) -> kpm.Result:
    rng, scale, payoffs, inventory, columns = random_book(seed)
    market = kpm.Market(payoffs, maker=make_maker(name, rng, scale, inventory))
    return kpm.clear(market, as_orders(columns), rule=rule, certificate=True, **options)


def proof_of(result: kpm.Result) -> kpm.DualCertificate:
    assert isinstance(result.certificate, kpm.DualCertificate)
    return result.certificate


def checked(result: kpm.Result) -> kpm.Verification:
    return kpm.check_certificate(result.market, result.orders, result)


def failed(result: kpm.Result) -> set[str]:
    return {check.name for check in checked(result).failed}


def by_hand(result: kpm.Result) -> float:
    """The bound as docs/certificate.md has it, order by order."""
    market, orders, g = result.market, result.orders, result.state_prices
    claim = orders.claim_index(market)
    gains = orders.side * (result.limits - (market.payoffs @ g)[claim])
    worth = g @ market.inventory + market.maker.conjugate(g)
    return float(orders.quantity @ np.maximum(gains, 0) + worth)


@pytest.mark.parametrize(("name", "rule"), [*KINDS, *((name, "pay_as_bid") for name in MAKERS)])
def test_every_clearing_is_proven(name: str, rule: str) -> None:
    for seed in range(fewer(100, 20)):
        result = drawn(name, seed, rule)
        checked(result).raise_if_failed()
        plain = kpm.clear(result.market, result.orders, rule=rule)
        assert plain.certificate is None
        assert plain == dataclasses.replace(result, certificate=None)  # no bit of it is changed
        size = result.scale + float(np.abs(result.market.inventory).max())
        assert result.upper_bound == pytest.approx(by_hand(result), abs=1e-7 * size), seed


@pytest.mark.parametrize("span", [6, 12, 15])
@pytest.mark.parametrize(("name", "rule"), KINDS)
def test_whatever_the_sizes_it_is_a_proof(name: str, rule: str, span: int) -> None:
    for seed in range(fewer(40, 8)):
        market, orders = extreme_book(seed, name, span)
        result = kpm.clear(market, orders, rule=rule, certificate=True)
        checked(result).raise_if_failed()


@pytest.mark.parametrize(("name", "span", "seed"), [("ball", 9, 49), ("polytope", 12, 5)])
def test_a_prior_as_good_as_the_prices_keeps_its_digits(name: str, span: int, seed: int) -> None:
    """Of a maker who is all but neutral to what trades: a prior that is moved proves too little."""
    market, orders = extreme_book(seed, name, span)
    result = kpm.clear(market, orders, rule="competitive", certificate=True)
    assert result.scale * market.maker.risk_aversion < 1e-20
    checked(result).raise_if_failed()


@pytest.mark.parametrize("name", MAKERS)
def test_market_orders_and_empty_books_are_proven(name: str) -> None:
    """A limit beyond the payoffs counts as their end, however far."""
    rng = np.random.default_rng(3)
    several = kpm.Market(np.eye(3), maker=make_maker(name, rng, 1.0, np.zeros(3)))
    one = kpm.Market([[2.0]], maker=make_maker(name, rng, 1.0, np.zeros(1)))
    forced = kpm.Orders([0, 1, 2], ["buy", "sell", "buy"], [np.inf, -np.inf, -1], [1, 1, 1e12])
    for market, orders in (
        (several, forced),
        (several, forced[:0]),
        (one, kpm.Orders([0, 0], ["buy", "sell"], [3.0, 1.0], [1, 2])),
    ):
        for rule in ("competitive", "pay_as_bid"):
            result = kpm.clear(market, orders, rule=rule, certificate=True)
            checked(result).raise_if_failed()
            by_engine = kpm.Engine(market, orders).clear(rule=rule, certificate=True)
            assert proof_of(by_engine) == proof_of(result)


@pytest.mark.parametrize("name", ["ball", "orders", "polytope", "utility", "quadratic"])
def test_a_clearing_that_was_stopped_proves_its_bound(name: str) -> None:
    """Which then is the one that the kept prices prove, and no fills are worth more."""
    vague = 0
    for seed in range(fewer(30, 10)):
        stopped = drawn(name, seed, time_limit=0.0)
        checked(stopped).raise_if_failed()
        if not stopped.upper_bound < np.inf:
            continue
        best = drawn(name, seed)
        size = best.scale + float(np.abs(best.market.inventory).max())
        assert stopped.upper_bound >= best.objective - 1e-9 * size, seed
        vague += stopped.gap > 1e-3 * best.scale
    assert vague > 0 or name == "quadratic"


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize("name", MAKERS)
def test_the_bound_is_the_optimum_of_a_cone_solver(name: str) -> None:
    """Independently of how the certificate was found."""
    rng, scale, payoffs, inventory, columns = random_book(7)
    maker = make_maker(name, rng, scale, inventory)
    market = kpm.Market(payoffs, maker=maker)
    result = kpm.clear(market, as_orders(columns), rule="competitive", certificate=True)
    witness = dual_value(maker._model(), payoffs, inventory, columns)
    size = result.scale + abs(witness) + float(np.abs(inventory).max())
    assert result.upper_bound == pytest.approx(witness, abs=2e-7 * size)


# -- tampering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_a_changed_figure_is_found(name: str) -> None:
    result = drawn(name, 7)
    by = 1e-3 * result.scale
    for field in ("upper_bound", "certainty_equivalent"):
        value = getattr(result, field)
        assert failed(dataclasses.replace(result, **{field: value - by})), field
    assert "value of the fills, in money" in failed(
        dataclasses.replace(result, _objective=result.objective - by)
    )
    for _, other in with_each_entry_changed(result, "claim_prices", 1e-6):
        assert failed(other)
    for row, other in with_each_entry_changed(result, "fills", 1e-3 * result.scale):
        assert failed(other), row
    assert failed(dataclasses.replace(result, upper_bound=result.upper_bound + by))  # the gap


@pytest.mark.parametrize("name", MAKERS)
def test_prices_that_prove_less_are_found(name: str) -> None:
    """Any distribution bounds, so that others are no error as such: they bound from higher up."""
    result, found = drawn(name, 7), 0
    proof = proof_of(result)
    states = len(proof.state_prices)
    for state in range(states):
        other = 0.9 * proof.state_prices
        other[state] += 0.1
        told = dataclasses.replace(proof, state_prices=other)
        found += bool(failed(dataclasses.replace(result, certificate=told)))
        improper = dataclasses.replace(proof, state_prices=nudged(proof.state_prices, state, 1e-9))
        assert "probability vectors: non-negative, summing to 1" in failed(
            dataclasses.replace(result, certificate=improper)
        )
    assert found == states


def test_a_prior_outside_the_ball_is_found() -> None:
    market = kpm.Market(np.eye(3), [0.5, 0.3, 0.2], risk_aversion=0.1, ambiguity=0.02)
    orders = kpm.Orders([0, 2], "buy", [0.7, 0.5], [10, 5])
    result = kpm.clear(market, orders, rule="competitive", certificate=True)
    assert checked(result)
    proof = proof_of(result)
    beyond = proof.worst_case + 1e-3 * (proof.worst_case - market.prior)
    told = dataclasses.replace(proof, worst_case=beyond / beyond.sum())
    names = failed(dataclasses.replace(result, certificate=told))
    assert "prior is one of the maker's, in allowances" in names
    # As far out as the allowance, a prior does not lower the bound: it is moved into the ball.
    tilted = dataclasses.replace(proof, worst_case=proof.state_prices)
    assert "prior is one of the maker's, in allowances" in failed(
        dataclasses.replace(result, certificate=tilted, upper_bound=result.upper_bound - 1e-3)
    )


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_weights_that_are_no_mixture_are_found(alpha: float) -> None:
    priors = [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]]
    market = kpm.Market(np.eye(3), maker=kpm.PolytopeMaker(priors, alpha))
    orders = kpm.Orders([0, 2], "buy", [0.7, 0.5], [10, 5])
    result = kpm.clear(market, orders, rule="competitive", certificate=True)
    assert checked(result)
    proof = proof_of(result)
    for weights in ([1.5, -0.5], [0.5, 0.4], proof.weights[::-1]):
        told = dataclasses.replace(proof, weights=weights)
        assert failed(dataclasses.replace(result, certificate=told)), weights


@pytest.mark.parametrize("alpha", [1e-12, 1e-20, 1e-30])
def test_a_tiny_risk_aversion_excuses_no_false_proof(alpha: float) -> None:
    """The prior's rounding over alpha would, were it allowed: that no trade is best."""
    market = kpm.Market([[1, 0]], maker=kpm.PolytopeMaker([[0.5, 0.5], [0.4, 0.6]], alpha))
    result = kpm.clear(
        market, kpm.Orders([0], "buy", [0.9], [10]), rule="competitive", certificate=True
    )
    assert checked(result)
    assert result.objective == pytest.approx(4.0)
    prices, none = np.array([0.95]), np.zeros(1)
    told = dataclasses.replace(
        result,
        fills=none,
        net_demand=none,
        claim_prices=prices,
        state_prices=np.array([0.95, 0.05]),
        payoff=np.zeros(2),
        revenue=0.0,
        upper_bound=0.0,
        _objective=0.0,
        certificate=kpm.DualCertificate([0.5, 0.5], weights=[1.0, 0.0]),
    )
    assert "bound at most the upper bound, in money" in failed(told)


@pytest.mark.parametrize("options", [{}, {"time_limit": 0.0}], ids=["optimal", "stopped"])
def test_a_polytope_without_a_digit_of_risk_aversion_is_proven(options: dict[str, Any]) -> None:
    """Where KL(g|p)/alpha has no digits, the mixture bounds; the same book in larger units, too."""
    for exponent in (-30, -26, -23, -20, -16, -12, -8, -5, -2):
        for seed in range(fewer(12, 6)):
            rng = np.random.default_rng(seed)
            priors, payoffs = rng.dirichlet(np.ones(4), 3), rng.random((3, 4)).round(2)
            market = kpm.Market(payoffs, maker=kpm.PolytopeMaker(priors, 10.0**exponent))
            claim = rng.integers(3, size=20)
            price = (payoffs @ priors.mean(axis=0))[claim] + 0.1 * rng.normal(size=20)
            orders = kpm.Orders(claim, rng.choice([-1, 1], 20), price, rng.integers(1, 10, 20))
            for proven in (False, True):
                result = kpm.clear(
                    market, orders, rule="competitive", certificate=proven, **options
                )
                result.verify().raise_if_failed()
                if proven:
                    checked(result).raise_if_failed()


def test_a_maker_of_a_new_kind_is_not_taken_for_another() -> None:
    loss = np.array([1.0, 2.0])
    assert dual_checks.cost({"kind": "worst_state"}, loss) == 2.0
    with pytest.raises(ValueError, match="new"):
        dual_checks.cost({"kind": "new"}, loss)
    with pytest.raises(ValueError, match="new"):
        dual_checks._conjugate({"kind": "new"}, loss, loss)


def test_orders_out_of_the_money_count_if_they_are_not() -> None:
    """A giant bid that was left out of the book raises the bound by all that it would gain."""
    result = drawn("ball", 7)
    orders, market = result.orders, result.market
    claim = int(np.ptp(market.payoffs, axis=1).argmax())
    more = kpm.Orders(
        np.append(orders.claim, claim),
        np.append(orders.side, 1),
        np.append(orders.price, market.payoffs[claim].max()),
        np.append(orders.quantity, 1e9 * result.scale),
    )
    told = dataclasses.replace(result, orders=more, fills=np.append(result.fills, 0.0))
    assert "orders obey the limit order logic" in failed(told)
    assert "bound at most the upper bound, in money" in failed(told)


def test_a_proof_of_another_rule_proves_nothing() -> None:
    market, orders = kpm.read_book(CARD)
    tree = kpm.clear(market, orders, certificate=True)
    dual = kpm.clear(market, orders, rule="competitive", certificate=True)
    for result, other in ((tree, dual), (dual, tree)):
        assert checked(result)
        told = dataclasses.replace(result, certificate=other.certificate)
        assert failed(told) == {"certificate is of the kind that the rule has"}
    proof = proof_of(dual)
    short = dataclasses.replace(proof, worst_case=[])
    names = failed(dataclasses.replace(dual, certificate=short))
    assert names == {"arrays fit the book and its maker"}


# -- as a value -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_is_a_value_that_is_kept(name: str, tmp_path: Path) -> None:
    result = drawn(name, 7)
    proof = proof_of(result)
    copy = pickle.loads(pickle.dumps(result))
    assert copy == result
    assert copy.certificate == proof
    result.save(tmp_path / "kept.npz")
    loaded = kpm.load_result(tmp_path / "kept.npz")
    assert loaded == result
    assert loaded.certificate == proof
    assert loaded.verify()
    assert checked(loaded)
    told = json.loads(result.to_json())["certificate"]
    assert told == proof.to_dict()
    assert told["state_prices"] == result.state_prices.tolist()
    assert ("worst_case" in told, "weights" in told) == (
        name in ("lmsr", "ball", "simplex"),
        name in ("polytope", "hull"),
    )
    for array in (proof.state_prices, proof.worst_case, proof.weights):
        assert not array.flags.writeable
    with pytest.raises(dataclasses.FrozenInstanceError):
        proof.weights = proof.weights  # type: ignore[misc]
    assert proof != dataclasses.replace(proof, state_prices=proof.state_prices[::-1] + 1)


def test_prints() -> None:
    proof = kpm.DualCertificate([0.5, 0.5], weights=[0.2, 0.3, 0.5])
    assert repr(proof) == "DualCertificate(2 states)"
    assert str(proof) == "prices of 2 states, by duality"


@pytest.mark.parametrize(
    ("arrays", "field"),
    [
        (([[0.5, 0.5]],), "state_prices"),
        (([0.5, 0.5], 1.0), "worst_case"),
        (([0.5, 0.5], [], [[1.0]]), "weights"),
        (([0.5, "a"],), "state_prices"),
    ],
)
def test_arrays_that_do_not_fit(arrays: Any, field: str) -> None:
    with pytest.raises(kpm.InputError) as caught:
        kpm.DualCertificate(*arrays)
    assert caught.value.field == field


@pytest.mark.unsanitized
@pytest.mark.parametrize("rule", ["competitive", "pay-as-bid"])
def test_commands(rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kept.npz"
    words = ["clear", CARD, "--rule", rule, "--certificate", "--save", file, "--verify"]
    assert run(*words) == 0
    out = capsys.readouterr().out
    assert "checks passed" in out
    assert run("verify", file) == 0
    out = capsys.readouterr().out
    assert "certificate: prices of 6 states, by duality" in out
    assert "bound at most the upper bound" in out
    ending = "Valid, and proven by duality: no fills are worth more by more than the gap.\n"
    assert out.endswith(ending)
    assert run("verify", file, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["valid"], told["proven"], told["leaves"]) == (True, True, None)
    assert {check["group"] for check in told["checks"]} == {"clearing", "certificate"}
    kept = kpm.load_result(file)
    vague = dataclasses.replace(kept, upper_bound=kept.upper_bound - 1.0)
    vague.save(file)
    assert run("verify", file) == 1
    pytest.importorskip("matplotlib")
    kept.report(tmp_path / "report.html", sensitivity=False)
    assert "The proof holds: all" in (tmp_path / "report.html").read_text(encoding="utf-8")
