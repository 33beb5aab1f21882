"""Labelled data is aligned by label in every container, or refused with both sets of labels."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from kpm_fast.model.labels import align
from strategies import examples

STATES = ("H", "D", "A")
PAYOFFS = np.array([[1.0, 0, 0], [0, 1, 0.5]])
MARKET = kpm.Market(PAYOFFS, [0.5, 0.3, 0.2], [1, 2, 3], claims=["home", "draw"], states=STATES)


def vectors(values: dict[str, float], field: str) -> Iterator[tuple[str, Any]]:
    """Numbers by state, in every container that has labels."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    yield "mapping", values
    yield "pandas series", pandas.Series(values)
    yield "pandas strings", pandas.Series(values).rename(index=str).convert_dtypes()
    yield "pandas frame", pandas.DataFrame({field: values, "note": 1})
    table: dict[str, Any] = {"state": list(values), field: list(values.values()), "note": "x"}
    yield "mapping of columns", {**table, "note": ["x"] * len(values)}
    yield "pandas table", pandas.DataFrame(table)
    yield "polars", polars.DataFrame(table)
    yield "polars lazy", polars.DataFrame(table).lazy()
    arrow = pyarrow.table({**table, "note": ["x"] * len(values)})
    yield "pyarrow", arrow
    yield "pyarrow batch", arrow.to_batches()[0]


def tables(rows: dict[str, dict[str, float]]) -> Iterator[tuple[str, Any]]:
    """Payoffs by claim and state, in every container."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    yield "mapping", rows
    yield "mapping of series", {claim: pandas.Series(row) for claim, row in rows.items()}
    yield "pandas", pandas.DataFrame(rows).T
    columns: dict[str, list[Any]] = {"claim": list(rows)}
    for state in next(iter(rows.values())):
        columns[state] = [row[state] for row in rows.values()]
    yield "mapping of columns", columns
    yield "pandas table", pandas.DataFrame(columns)
    yield "polars", polars.DataFrame(columns)
    yield "pyarrow", pyarrow.table(columns)


@given(st.permutations(STATES), st.permutations(["home", "draw"]), st.permutations(STATES))
@examples(20)
def test_every_argument_is_aligned(order: list[str], claims: list[str], columns: list[str]) -> None:
    """Whatever the order of its labels, each container gives the same market."""
    prior = {state: MARKET.prior[STATES.index(state)] for state in order}
    inventory = {state: MARKET.inventory[STATES.index(state)] for state in order}
    rows = {
        claim: {
            state: PAYOFFS[MARKET.claims.index(claim), STATES.index(state)] for state in columns
        }
        for claim in claims
    }
    for name, value in vectors(prior, "prior"):
        assert MARKET.replace(prior=value) == MARKET, name
    for name, value in vectors(inventory, "inventory"):
        assert MARKET.replace(inventory=value) == MARKET, name
    for name, value in tables(rows):
        assert MARKET.replace(payoffs=value) == MARKET, name
        own = kpm.Market(value, prior, inventory)
        assert (own.claims, own.states) == (tuple(claims), tuple(columns)), name
        for state in STATES:
            assert own.prior[own.states.index(state)] == prior[state]
            assert own.inventory[own.states.index(state)] == inventory[state]


@given(st.sampled_from(["prior", "inventory"]), st.sampled_from(["swap", "drop", "add"]))
@examples(12)
def test_other_labels_are_refused_with_both_sets(field: str, change: str) -> None:
    values = dict(zip(STATES, (0.5, 0.3, 0.2), strict=True))
    if change != "add":
        del values["D"]
    if change != "drop":
        values["Draw"] = 0.3
    for name, value in vectors(values, field):
        with pytest.raises(kpm.InputError) as caught:
            MARKET.replace(**{field: value})
        assert caught.value.field == field, name
        for label in (*values, *STATES):
            assert repr(label) in str(caught.value), name


def test_payoffs_of_other_claims_or_turned() -> None:
    rows = {"home": {"H": 1, "D": 0, "A": 0}, "away": {"H": 0, "D": 1, "A": 0}}
    with pytest.raises(kpm.InputError, match=r"'away', which is not a claim.*'home', 'draw'"):
        MARKET.replace(payoffs=rows)
    with pytest.raises(kpm.InputError, match=r"payoffs\['away'\].*lacks state 'D'"):
        kpm.Market({**rows, "away": {"H": 0, "A": 1}}, [0.5, 0.3, 0.2])
    pandas = pytest.importorskip("pandas")
    with pytest.raises(
        kpm.InputError, match="claims: must have a label for each of 3 rows of payoffs, got 2"
    ):
        MARKET.replace(payoffs=pandas.DataFrame(rows))


def test_a_default_index_does_not_name_states() -> None:
    """A column that was sorted and reset has lost its labels: positions would be wrong."""
    pandas = pytest.importorskip("pandas")
    series = pandas.Series([0.5, 0.3, 0.2])
    with pytest.raises(kpm.InputError, match=r"'0', '1', '2', the states are 'H', 'D', 'A'.*numpy"):
        MARKET.replace(prior=series)
    assert MARKET.replace(prior=series.to_numpy()) == MARKET
    plain = kpm.Market(PAYOFFS, series)
    assert plain.states == ("0", "1", "2")
    shuffled = kpm.Market(PAYOFFS, series.iloc[[2, 0, 1]])
    assert shuffled == plain


def test_a_prior_names_the_states_of_plain_payoffs() -> None:
    market = kpm.Market(PAYOFFS, {"H": 0.5, "D": 0.3, "A": 0.2}, {"A": 3, "H": 1, "D": 2})
    assert market == MARKET.replace(claims=["0", "1"])


def test_repeated_and_missing_labels_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(
        kpm.InputError, match="must be distinct, got 'H', which index 0 has as well"
    ):
        MARKET.replace(prior=pandas.Series([0.5, 0.3, 0.2], index=["H", "H", "A"]))
    with pytest.raises(kpm.InputError, match="text or a number"):
        MARKET.replace(prior={("H", 1): 0.5, "D": 0.3, "A": 0.2})
    strikes = pandas.DataFrame(np.eye(2), index=["a", "b"], columns=[100.0, 105.0])
    assert kpm.Market(strikes, {105: 0.25, "100": 0.75}).prior.tolist() == [0.75, 0.25]
    with pytest.raises(kpm.InputError, match="must have a column 'prior', found 'state', 'p'"):
        MARKET.replace(prior=pandas.DataFrame({"state": STATES, "p": [0.5, 0.3, 0.2]}))


def test_align_is_for_anything() -> None:
    assert align([1, 2], ["a", "b"], "delta") == [1, 2]
    assert align({"b": 2, "a": 1}, ["a", "b"], "delta") == [1, 2]
    with pytest.raises(kpm.InputError, match=r"^delta: lacks state 'beta'.*did you mean 'Beta'"):
        align({"a": 1, "Beta": 1}, ["a", "beta"], "delta")


# -- claims of orders ----------------------------------------------------------------------------


def cleared(claims: list[str], column: Any) -> list[int]:
    market = kpm.Market(np.eye(len(claims)), np.full(len(claims), 1 / len(claims)), claims=claims)
    return kpm.Orders(column, 1, 0.5, 1).claim_index(market).tolist()


@given(st.permutations(range(4)), st.lists(st.integers(0, 5), min_size=1, max_size=5))
@examples(100)
def test_integers_are_labels_or_positions_and_never_a_guess(
    numbers: list[int], column: list[int]
) -> None:
    """Both readings of the whole column are tried: one must be left, or both the same."""
    claims = [str(number + 1) for number in numbers]
    labels = [claims.index(str(code)) for code in column] if set(column) <= {1, 2, 3, 4} else None
    positions = column if max(column) < 4 else None
    if (labels is not None and positions is None) or (labels is not None and labels == positions):
        assert cleared(claims, column) == labels
    else:
        with pytest.raises(kpm.InputError) as caught:
            cleared(claims, column)
        assert caught.value.field == "claim"
        assert repr(claims[0]) in str(caught.value)


def test_integers_where_labels_are_none() -> None:
    assert cleared(["a", "b", "c"], [2, 0]) == [2, 0]
    assert cleared(["0", "1", "2"], [2, 0]) == [2, 0]
    assert cleared(["a", "007", "1x"], [1, 2]) == [1, 2]
    assert cleared(["x", "0"], ["0"]) == [1]
    with pytest.raises(kpm.InputError, match="may mean an index or a label"):
        cleared(["x", "0"], [0])
    with pytest.raises(kpm.InputError, match="no claim with index 3"):
        cleared(["a", "b", "c"], [3])


@pytest.mark.parametrize("labels", [("1", "0"), ("101", "102")])
def test_integers_are_labels_whatever_holds_them(labels: tuple[str, str]) -> None:
    """Given a market whose labels are all integers; whole floats are none of its indices."""
    market = kpm.Market(np.eye(2), [0.5, 0.5], claims=labels)
    numbers = [int(labels[1]), int(labels[0])]
    columns: list[Any] = [
        numbers,
        tuple(numbers),
        np.array(numbers),
        np.array(numbers, dtype=object),
        np.array(numbers, dtype=np.float32),
        list(np.array(numbers)),
        [float(number) for number in numbers],
        [np.float64(numbers[0]), np.int8(numbers[1])],
        list(map(str, numbers)),
    ]
    rest: dict[str, Any] = {
        "book": ["x", "x"],
        "side": "buy",
        "price": [0.5, 0.5],
        "quantity": [1, 1],
    }
    for column in columns:
        frame = {"claim": column, **rest}
        orders = kpm.Orders.from_frame(frame, market)
        assert orders.claim_index(market).tolist() == [1, 0]
        assert kpm.Books.from_frame(frame, market).claim.tolist() == [1, 0]
    wrong: list[Any] = [[0.5, 1.0], [float("nan"), 1.0], [True, False], [[1], [0]]]
    for column in wrong:
        with pytest.raises(kpm.InputError, match="claim"):
            kpm.Orders.from_frame({"claim": column, **rest}, market)
    with pytest.raises(kpm.InputError, match=r"claim\[0\]: must be an index or a label"):
        kpm.Orders([0.0, 1.0], "buy", 0.5, 1)


@given(st.permutations(range(4)), st.lists(st.integers(0, 4), min_size=1, max_size=5))
@examples(40)
def test_the_same_file_by_every_reader(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], column: list[int]
) -> None:
    """Labels that pandas, polars and pyarrow read as integers are still those of the file."""
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow.csv"))
    claims = [str(number + 1) for number in numbers]
    market = kpm.Market(np.eye(4), np.full(4, 0.25), claims=claims)
    path = tmp_path_factory.mktemp("book") / "orders.csv"
    rows = "".join(f"{claim},buy,0.5,1\n" for claim in column)
    path.write_text(f"claim,side,price,quantity\n{rows}")
    readers = (
        lambda: kpm.Orders.from_csv(path, market),
        lambda: kpm.Orders.from_frame(pandas.read_csv(path), market),
        lambda: kpm.Orders.from_frame(polars.read_csv(path), market),
        lambda: kpm.Orders.from_frame(pyarrow.read_csv(path), market),
    )
    if 0 in column:
        for reader in readers:
            with pytest.raises(kpm.InputError, match="no claim '0'") as caught:
                reader()
            assert caught.value.index == column.index(0)
    else:
        expected = [claims.index(str(code)) for code in column]
        for reader in readers:
            assert reader().claim_index(market).tolist() == expected


def test_close_claims_are_suggested(tmp_path: Path) -> None:
    for label, meant in (("hoem", "home"), ("Home", "home"), (" draw", "draw")):
        with pytest.raises(kpm.InputError, match=f"did you mean '{meant}'"):
            kpm.Orders([label], 1, 0.5, 1).claim_index(MARKET)
    with pytest.raises(kpm.InputError, match="no claim 'xyz'; it has 'home', 'draw'"):
        kpm.Orders(["xyz"], 1, 0.5, 1).claim_index(MARKET)


@pytest.mark.parametrize("names", [["a", "b"], None])
@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_tables_of_a_result_are_a_book_again(backend: str, names: list[str] | None) -> None:
    """Its tables, rows in any order, give back market and orders."""
    pytest.importorskip(backend)
    orders = kpm.Orders(["draw", "home"], ["buy", "sell"], [0.6, 0.2], [3, 4], names, [2, 1])
    result = kpm.clear(MARKET, orders)
    states = result.to_frame(backend, "states")
    assert MARKET.replace(prior=states, inventory=states) == MARKET
    again = kpm.Orders.from_frame(result.to_frame(backend, "orders"), MARKET)
    assert again == orders
    assert again.ignored_columns == ("fill", "clearing_price", "payment")


def test_quotes_by_claim() -> None:
    payoffs = {"home": {"H": 1, "D": 0, "A": 0}, "away": {"H": 0, "D": 0, "A": 1}}
    bid, ask = {"away": 0.1, "home": 0.5}, {"home": 0.6, "away": 0.2}
    expected = kpm.prior_from_quotes([[1, 0, 0], [0, 0, 1]], [0.5, 0.1], [0.6, 0.2])
    prior = {"A": 1 / 3, "H": 1 / 3, "D": 1 / 3}
    found = kpm.prior_from_quotes(payoffs, bid, ask, prior)
    assert found == dict(zip("HDA", expected.tolist(), strict=True))
    # By label the prior fits the payoffs with their states in any order.
    assert kpm.Market.from_frame(payoffs, found).prior == pytest.approx(expected, abs=1e-15)
    turned = {claim: dict(reversed(row.items())) for claim, row in payoffs.items()}
    assert kpm.Market.from_frame(turned, found).prior == pytest.approx(expected[::-1], abs=1e-15)
    with pytest.raises(kpm.InputError, match="bid: lacks claim 'away'"):
        kpm.prior_from_quotes(payoffs, {"home": 0.5}, ask)


def test_rows_of_other_frames_are_not_matched_by_position() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"claim": ["home"] * 4, "price": [0.1, 0.2, 0.3, 0.4]})
    claim = frame["claim"]
    assert len(kpm.Orders(claim, "buy", frame["price"], 1)) == 4
    assert len(kpm.Orders(claim[2:], "buy", frame["price"][2:], 1)) == 2
    assert len(kpm.Orders(claim[2:], "buy", frame["price"][:2].to_numpy(), 1)) == 2
    for price in (frame["price"][:2], frame["price"][2:][::-1]):
        with pytest.raises(kpm.InputError, match=r"^price: must have the index of"):
            kpm.Orders(claim[2:], "buy", price, 1)
        for book in (["a", "b"], claim[2:]):
            with pytest.raises(kpm.InputError, match=r"^price: must have the index of"):
                kpm.Books(MARKET, book, claim[2:], "buy", price, 1)
        with pytest.raises(kpm.InputError, match=r"^claim: must have the index of"):
            kpm.Books(MARKET, price, claim[2:], "buy", 0.5, 1)
        columns = {"book": claim[2:], "claim": claim[2:], "side": "buy", "quantity": 1}
        with pytest.raises(kpm.InputError, match=r"^price: must have the index of"):
            kpm.Books.from_frame({**columns, "price": price}, MARKET)
    assert kpm.Books(MARKET, claim[2:], claim[2:], "buy", frame["price"][2:], 1).names == ("home",)


def test_rows_with_and_without_labels_are_not_mixed() -> None:
    """Which state a number without a label belongs to would depend on the other rows."""
    mixed: dict[str, Any] = {"home": [1, 0], "away": {"y": 1, "x": 0}}
    for rows in (mixed, dict(reversed(mixed.items()))):
        for refused in (
            lambda rows=rows: kpm.Market(rows, {"x": 0.9, "y": 0.1}),
            lambda rows=rows: kpm.LMSR(1.0, {"x": 0.9, "y": 0.1}).quotes(rows),
            lambda rows=rows: kpm.PolytopeMaker(rows, 1.0),
        ):
            with pytest.raises(
                kpm.InputError, match=r"\['home'\]: has no labels of states.*'y', 'x'"
            ):
                refused()
    plain = kpm.Market({"home": [1, 0], "away": [0, 1]}, {"x": 0.9, "y": 0.1})
    assert plain.states == ("x", "y")


def test_a_list_of_labelled_rows_is_matched_by_label() -> None:
    """Rows taken one by one from frames, or mappings, each with its states in its own order."""
    pandas = pytest.importorskip("pandas")
    prior = {"H": 0.5, "D": 0.3, "A": 0.2}
    maker = kpm.KnightianMaker(prior, 0.01, 0.02)
    plain: list[list[float]] = [[1, 0, 0], [0, 1, 0.5]]
    for build in (dict, pandas.Series):
        rows = [build(dict(zip("HDA", plain[0], strict=True)))]
        rows.append(build(dict(zip("ADH", plain[1][::-1], strict=True))))
        market = kpm.Market(rows, prior)
        assert (market.states, market.payoffs.tolist()) == (("H", "D", "A"), plain)
        assert kpm.Market(tuple(rows), maker=maker).payoffs.tolist() == plain
        assert maker.quotes(rows)["ask"].tolist() == maker.quotes(plain)["ask"].tolist()
        assert maker.cost(rows).tolist() == maker.cost(plain).tolist()  # type: ignore[union-attr]
        mixed = kpm.PolytopeMaker([build({"H": 0.5, "A": 0.5}), build({"A": 0.3, "H": 0.7})], 1.0)
        assert (mixed.labels, mixed.priors.tolist()) == (("H", "A"), [[0.5, 0.5], [0.7, 0.3]])
        with pytest.raises(kpm.InputError, match=r"^payoffs\[1\]: lacks state 'D' and has 'X'"):
            kpm.Market([rows[0], build({"H": 0, "X": 1, "A": 0})], prior)
        with pytest.raises(kpm.InputError, match=r"^payoffs\[1\]: has no labels of states"):
            kpm.Market([rows[0], plain[1]], prior)
        with pytest.raises(kpm.InputError, match=r"^payoffs: lacks state 'H' and has 'home'"):
            maker.quotes([build({"home": 1, "D": 0, "A": 0})])


def test_quantities_to_quote_are_aligned_by_claim() -> None:
    pandas = pytest.importorskip("pandas")
    turned = {"draw": 5.0, "home": 2.0}
    expected = MARKET.maker.quotes(MARKET, [2.0, 5.0])
    ladder = MARKET.maker.quotes(MARKET, [[2.0, 4.0], [5.0, 6.0]])
    for maker, payoffs in ((MARKET.maker, MARKET), (MARKET.maker, PAYOFFS)):
        names = payoffs.claims if isinstance(payoffs, kpm.Market) else ("0", "1")
        own = dict(zip(names[::-1], turned.values(), strict=True))
        frame = pandas.DataFrame(
            {"small": own, "large": dict(zip(names[::-1], (6.0, 4.0), strict=True))}
        )
        for quantities in (own, pandas.Series(own), pandas.DataFrame({"quantities": own})):
            assert maker.quotes(payoffs, quantities).ask.tolist() == expected.ask.tolist()
        assert maker.quotes(payoffs, frame).bid.tolist() == ladder.bid.tolist()
        columns = {"claim": [*own], "1": [5.0, 2.0], "2": [6.0, 4.0]}
        polars = pytest.importorskip("polars")
        assert maker.quotes(payoffs, polars.DataFrame(columns)).ask.tolist() == ladder.ask.tolist()
        bare = polars.DataFrame({"1": [2.0, 5.0], "2": [4.0, 6.0]})
        assert maker.quotes(payoffs, bare).ask.tolist() == ladder.ask.tolist()
    with pytest.raises(kpm.InputError, match="quantities: lacks claim 'home'"):
        MARKET.maker.quotes(MARKET, pandas.Series([1.0, 2.0]))
    with pytest.raises(kpm.InputError, match="quantities: must be a number, got 'many'"):
        MARKET.maker.quotes(MARKET, "many")


def test_makers_take_names_from_their_prior_only() -> None:
    """An inventory by other names than the prior's is refused, not taken by position."""
    pandas = pytest.importorskip("pandas")
    for labels in (["A", "H"], ["H", "A"]):
        with pytest.raises(kpm.InputError, match=r"^inventory: lacks state '0'"):
            kpm.KnightianMaker([0.5, 0.5], 1, 0.1, pandas.Series([0.25, 0.75], labels))
        named = kpm.KnightianMaker(pandas.Series([0.25, 0.75], labels), 1, 0.1)
        assert named.labels == tuple(labels)
        assert named.prior.tolist() == [0.25, 0.75]
    for field in ("prior", "inventory"):
        arguments: dict[str, Any] = {"prior": [0.5, 0.5], "risk_aversion": 1, "ambiguity": 0.1}
        maker = kpm.KnightianMaker(**{**arguments, field: pandas.Series([0.25, 0.75], [1, 0])})
        assert getattr(maker, field).tolist() == [0.75, 0.25]


class Labelled:
    """What is asked of an array of xarray, where that package is not installed."""

    def __init__(self, data: Any, coords: dict[str, list[str]], dims: tuple[str, ...]) -> None:
        self.data, self.indexes, self.dims = np.asarray(data), coords, dims
        self.ndim = self.data.ndim

    @property
    def T(self) -> Labelled:  # as there
        return Labelled(self.data.T, self.indexes, self.dims[::-1])

    def to_pandas(self) -> Any:
        pandas = pytest.importorskip("pandas")
        kind = pandas.Series if self.ndim == 1 else pandas.DataFrame
        return kind(self.data, *(self.indexes.get(name) for name in self.dims))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.data, dtype)

    def __len__(self) -> int:
        return len(self.data)


@pytest.fixture
def data_array(monkeypatch: pytest.MonkeyPatch) -> Any:
    if importlib.util.find_spec("xarray") is not None:
        return pytest.importorskip("xarray").DataArray
    monkeypatch.setitem(sys.modules, "xarray", SimpleNamespace(DataArray=Labelled))
    return Labelled


def test_an_xarray_is_read_by_its_coordinates(data_array: Any) -> None:
    """It was read by position, whatever its coordinates and the order of its axes."""
    order, claims = ["A", "H", "D"], ["draw", "home"]
    places = [STATES.index(state) for state in order]

    def by_state(entries: Any) -> Any:
        return data_array(np.asarray(entries)[places], {"state": order}, ("state",))

    assert MARKET.replace(prior=by_state(MARKET.prior)) == MARKET
    assert MARKET.replace(inventory=by_state(MARKET.inventory)) == MARKET
    payoffs = PAYOFFS[::-1][:, places]
    coords = {"claim": claims, "state": order}
    for table in (
        data_array(payoffs, coords, ("claim", "state")),
        data_array(payoffs.T, coords, ("state", "claim")),
    ):
        assert MARKET.replace(payoffs=table) == MARKET
        own = kpm.Market(table, by_state(MARKET.prior), by_state(MARKET.inventory))
        assert (own.claims, own.states) == (tuple(claims), tuple(order))
        assert own.payoffs.tolist() == payoffs.tolist()
        assert own.prior.tolist() == [0.2, 0.5, 0.3]
    rows = [by_state(row) for row in PAYOFFS]
    assert MARKET.replace(payoffs=dict(zip(MARKET.claims, rows, strict=True))) == MARKET
    priors = np.array([[0.2, 0.5, 0.3], [0.3, 0.3, 0.4]])
    for table in (
        data_array(priors, {"state": order}, ("prior", "state")),
        data_array(priors.T, {"state": order}, ("state", "prior")),
    ):
        maker = kpm.PolytopeMaker(table, 1.0)
        assert maker.labels == tuple(order)
        market = kpm.Market(PAYOFFS, claims=MARKET.claims, states=STATES, maker=maker)
        assert market.maker.priors.tolist() == [[0.5, 0.3, 0.2], [0.3, 0.4, 0.3]]


def test_an_xarray_with_other_coordinates_is_refused(data_array: Any) -> None:
    other = data_array(MARKET.prior, {"state": ["H", "D", "X"]}, ("state",))
    for field in ("prior", "inventory"):
        with pytest.raises(kpm.InputError, match=rf"^{field}: lacks state 'A' and has 'X'"):
            MARKET.replace(**{field: other})


def test_an_xarray_without_coordinates_is_in_the_order_of_the_labels(data_array: Any) -> None:
    assert MARKET.replace(prior=data_array(MARKET.prior, {}, ("state",))) == MARKET
    assert MARKET.replace(payoffs=data_array(PAYOFFS, {}, ("claim", "state"))) == MARKET
