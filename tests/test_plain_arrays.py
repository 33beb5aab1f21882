"""Valid arrays are copied in one call of the core: the same values and messages as of lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from kpm_fast import _core

_ODD = [0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan, 1e31, -3.0, 1e-201, 2.0]
_numbers = st.sampled_from(_ODD) | st.floats(0.0, 1.0)


def _told(make: Callable[[], Any]) -> Any:
    """The value that `make` returns, or the message of its error."""
    try:
        return make()
    except kpm.InputError as error:
        return str(error)


def _shapes(array: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """The same numbers, laid out in memory in five ways."""
    padded = np.zeros((*array.shape, 2), dtype=array.dtype)
    padded[..., 0] = array
    shifted = np.zeros(array.nbytes + 1, dtype=np.uint8)[1:].view(array.dtype)
    shifted = shifted.reshape(array.shape)
    shifted[...] = array
    swapped = array.astype(array.dtype.newbyteorder())
    return [array, padded[..., 0], shifted, swapped, np.asfortranarray(array)]


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(-2, 2), _numbers, _numbers), max_size=4),
    st.sampled_from(["i8", "i1", "f8", "i4", "f4"]),
)
def test_orders_of_arrays_are_those_of_lists(rows: list[tuple[Any, ...]], kind: str) -> None:
    claim, side, price, quantity = ([row[column] for row in rows] for column in range(4))
    expected = _told(lambda: kpm.Orders(claim, side, price, quantity))
    for place in range(5):
        arrays = (np.array(claim, "i8"), np.array(side, kind), np.array(price), np.array(quantity))
        columns = [_shapes(column)[place] for column in arrays]
        made = _told(lambda columns=columns: kpm.Orders(*columns))  # type: ignore[misc]
        if isinstance(made, str):
            # A float says so: -2.0 is not -2.
            assert made.replace(".0,", ",") == expected.replace(".0,", ",") or kind[0] == "f"
            assert isinstance(expected, str)
            continue
        assert made == expected
        for given_, kept in zip(columns, (made.claim, made.side, made.price), strict=False):
            assert not kept.flags.writeable
            assert not np.shares_memory(given_, kept)
        assert (made.price.tobytes(), made.quantity.tobytes()) == (
            np.array(price, dtype=float).tobytes(),
            np.array(quantity, dtype=float).tobytes(),
        )


@given(
    st.lists(st.lists(_numbers, min_size=2, max_size=2), min_size=1, max_size=3),
    st.lists(_numbers, min_size=1, max_size=3) | st.sampled_from([[0.5, 0.5], [0.1, 0.9]]),
    st.none() | st.lists(_numbers, min_size=1, max_size=2),
    _numbers,
    _numbers,
    st.sampled_from([None, ["x"], ["x", "y"], ["x", "x"]]),
    st.booleans(),
)
def test_markets_of_arrays_are_those_of_lists(
    payoffs: list[list[float]],
    prior: list[float],
    inventory: list[float] | None,
    alpha: float,
    omega: float,
    claims: list[str] | None,
    normalize: bool,
) -> None:
    options: dict[str, Any] = {"claims": claims, "normalize": normalize}
    expected = _told(lambda: kpm.Market(payoffs, prior, inventory, alpha, omega, **options))
    for place in range(5):
        table, weights = _shapes(np.array(payoffs))[place], _shapes(np.array(prior))[place]
        money = None if inventory is None else _shapes(np.array(inventory))[place]
        made = _told(
            lambda t=table, w=weights, m=money: kpm.Market(  # type: ignore[misc]
                t, w, m, alpha, omega, **options
            )
        )
        assert type(made) is type(expected)
        assert made == expected
        if isinstance(made, kpm.Market):
            assert made.prior_sum == expected.prior_sum
            assert vars(made).keys() == vars(expected).keys()
            for name in ("payoffs", "prior", "inventory"):
                kept = getattr(made, name)
                assert not kept.flags.writeable
                assert kept.flags.c_contiguous
                assert not any(
                    np.shares_memory(kept, a) for a in (table, weights, money) if a is not None
                )
                assert kept.tobytes() == getattr(expected, name).tobytes()


def test_valid_arrays_take_the_short_way() -> None:
    """Lists, subclasses of arrays and columns of another shape do not."""
    claim, side = np.array([0, 1]), np.array([1, -1])
    price, quantity = np.array([0.5, 0.5]), np.array([1.0, 2.0])
    assert _core.plain_orders(claim, side, price, quantity) is not None
    assert _core.plain_market(np.eye(2), price, None, 1.0, 0.0) is not None
    for other in (0.5, [0.5, 0.5], price[:1], price.reshape(1, 2), None, np.ma.array(price)):
        assert _core.plain_orders(claim, side, other, quantity) is None
        assert _core.plain_market(np.eye(2), other, None, 1.0, 0.0) is None


def test_shapes_beyond_32_bits_are_named() -> None:
    """Arrays without entries take no memory. Cut to 32 bits, an axis of these has length 3."""
    none = np.zeros(0)
    for shape, field in (((0, 2**32 + 3), "states"), ((2**32 + 3, 0), "claims")):
        payoffs = np.zeros(shape)
        fault = (field, "must be at most 2147483647", -1, -1, float(2**32 + 3))
        assert _core.market_fault(payoffs, none, none, 1.0, 0.0) == fault
        assert _core.plain_market(payoffs, none, none, 1.0, 0.0) is None
        with pytest.raises(kpm.InputError, match=f"{field}: must be at most 2147483647"):
            _core.count_pieces(payoffs, none.astype(np.int64), none.astype(np.int8), none, none)


@pytest.mark.parametrize("count", [0, 1])
def test_empty_books(count: int) -> None:
    none = np.zeros(0)
    assert len(kpm.Orders(none.astype("i8"), none, none, none)) == 0
    with pytest.raises(kpm.InputError, match="at least one claim"):
        kpm.Market(np.zeros((count, 0)), none)


def test_makers_take_arrays_of_any_layout() -> None:
    maker = kpm.KnightianMaker([0.2, 0.3, 0.5], 0.1, 0.2)
    losses, payoffs = np.array([3.0, -1.0, 2.0]), np.array([[1.0, 0.0, 0.5], [0.0, 2.0, 1.0]])
    expected = [
        maker.cost(losses),
        maker.state_prices(losses).tolist(),
        maker.quotes(payoffs)["bid"].tolist(),
        maker.size_to(payoffs[0], "buy", price=0.8),
    ]
    for place in range(5):
        by_state, by_claim = _shapes(losses)[place], _shapes(payoffs)[place]
        assert expected == [
            maker.cost(by_state),
            maker.state_prices(by_state).tolist(),
            maker.quotes(by_claim)["bid"].tolist(),
            maker.size_to(by_claim[0], "buy", price=0.8),
        ]


def test_the_core_reads_no_array_that_is_not_aligned() -> None:
    model = kpm.KnightianMaker([0.2, 0.3, 0.5], 0.1, 0.2)._model()
    plain, _, shifted, *_ = _shapes(np.array([[3.0, -1.0, 2.0]]))
    assert _core.maker_costs(model, plain).shape == (1,)
    with pytest.raises(TypeError):
        _core.maker_costs(model, shifted)
