"""Pictures of clearings: axes given and returned, labels that fit, bars equal to the figures."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import command as cli
from kpm_fast.plots import style
from kpm_fast.plots.panels import amount, shortened
from kpm_fast.plots.style import new_figure

pytestmark = pytest.mark.unsanitized

matplotlib = pytest.importorskip("matplotlib")
cbook = pytest.importorskip("matplotlib.cbook")
font_manager = pytest.importorskip("matplotlib.font_manager")

LONG = "The Honourable Member for Northumberland South-West, candidate number"


def book_of(claims: int, *, long: bool) -> kpm.Result:
    """A clearing of ``claims`` exclusive claims, with one state in which none pays."""
    rng = np.random.default_rng(claims)
    names = [f"{LONG if long else 'runner'} {k}" for k in range(claims)]
    prior = rng.dirichlet(np.full(claims + 1, 3.0))
    rows = rng.integers(0, claims, 12 * claims)
    side = rng.choice([1, -1], len(rows))
    price = (prior[rows] * np.exp(0.3 * rng.normal(size=len(rows)))).round(3).clip(0.001, 0.999)
    market = kpm.Market(
        np.eye(claims, claims + 1),
        prior + 1e-6,
        normalize=True,
        risk_aversion=0.01,
        ambiguity=0.001,
        claims=names,
        states=[*names, "none"],
    )
    orders = kpm.Orders([names[k] for k in rows], side, price, rng.integers(1, 50, len(rows)))
    return kpm.clear(market, orders, certificate=True, threads=1)


@pytest.fixture(scope="module", params=[(1, False), (6, True), (60, True)], ids=str)
def result(request: pytest.FixtureRequest) -> kpm.Result:
    claims, long = request.param
    return book_of(claims, long=long)


def overlapping(texts: list[Any]) -> list[tuple[str, str]]:
    """Pairs of shown texts whose boxes meet, in a figure that has been laid out."""
    figure = texts[0].get_figure()
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [
        (one, other)
        for i, (one, box) in enumerate(boxes)
        for other, further in boxes[i + 1 :]
        if box.overlaps(further)
    ]


def titles(panels: Any) -> list[Any]:
    return [panel._left_title for panel in panels if panel.get_visible()]


def test_names_do_not_run_into_each_other(result: kpm.Result) -> None:
    panels = kpm.plot.book(result)
    assert overlapping(titles(panels)) == []
    rows = [kpm.plot.fills(result), kpm.plot.risk(result)]
    rows.append(kpm.plot.quotes(result.market.maker.quotes(result.market)))
    for axes in rows:
        assert overlapping(axes.get_yticklabels()) == []


@pytest.mark.parametrize("kind", ["book", "fills", "risk", "staircase", "proof", "quotes"])
def test_titles_and_labels_stay_within_the_figure(result: kpm.Result, kind: str) -> None:
    figure = result.plot(kind, result.market.claims[0] if kind == "staircase" else None)
    figure.draw_without_rendering()
    for axes in figure.axes:
        if axes.get_visible():
            for text in (*titles([axes]), axes.xaxis.label, *axes.get_yticklabels()):
                box = text.get_window_extent()
                if text.get_text():
                    assert figure.bbox.x0 - 1 <= box.x0, text
                    assert box.x1 <= figure.bbox.x1 + 1, text


def test_a_book_of_many_claims_shows_those_that_trade_most() -> None:
    result = book_of(60, long=False)
    shown = [title.get_text().split(" at ")[0] for title in titles(kpm.plot.book(result))]
    traded = np.maximum(result.bought, result.sold)
    most = np.sort(np.argsort(-traded, kind="stable")[:12])
    assert shown == [f"runner {k}" for k in most]


def test_bars_are_the_fills(result: kpm.Result) -> None:
    bars = kpm.plot.fills(result).containers
    for container, expected in zip(bars, (None, result.bought, None, result.sold), strict=True):
        if expected is not None:
            lengths = [abs(bar.get_width()) for bar in container]
            np.testing.assert_allclose(lengths, expected, atol=1e-12)
    asked = [abs(bar.get_width()) for bar in bars[0]]
    assert (np.array(asked) >= result.bought - 1e-9).all()


def test_bars_are_the_makers_wealth(result: kpm.Result) -> None:
    lengths = [bar.get_width() for bar in kpm.plot.risk(result).containers[0]]
    np.testing.assert_allclose(lengths, result.payoff, atol=1e-9 * result.scale)


def test_the_clearing_point_lies_on_the_staircase(result: kpm.Result) -> None:
    """Its price and demand are on one of the pieces drawn, which are those of the core."""
    for k, claim in enumerate(result.market.claims[:6]):
        lines = [line.get_xydata() for line in kpm.plot.staircase(result, claim).lines]
        point = np.array([result.claim_prices[k], result.net_demand[k]])
        size = max(1.0, float(np.abs(np.vstack(lines)[:, 1]).max()))
        slack = np.array([1e-9, 1e-9 * size])
        on_piece = any(
            (line.min(axis=0) - slack <= point).all() and (point <= line.max(axis=0) + slack).all()
            for line in lines[:-2]
        )
        assert on_piece, claim
        stairs = kpm.staircases(result.market, result.orders)[k]
        drawn = {round(float(y), 6) for line in lines[:-2] for y in line[:, 1]}
        assert {round(float(y), 6) for y in stairs[::2, 2]} <= drawn


def test_staircases_of_many_claims_are_small_panels(result: kpm.Result) -> None:
    """Each is the claim's own: its price, its steps, the maker's side."""
    panels = [panel for panel in kpm.plot.staircase(result) if panel.get_visible()]
    book = [title.get_text() for title in titles(kpm.plot.book(result))]
    assert len(panels) == len(book) == min(12, len(result.market.claims))
    assert overlapping(titles(panels)) == []
    for panel, name in zip(panels, book, strict=True):
        head, _, price = panel.get_title(loc="left").rpartition(" at ")
        assert head == name.rpartition(" at ")[0]
        assert float(price) == pytest.approx(float(name.rpartition(" at ")[2]), abs=1e-4)
        (said,) = (text.get_text() for text in panel.texts)
        demand = float(panel.lines[-1].get_ydata()[0])
        if "no side" not in said:
            assert said == f"maker {'sells' if demand > 0 else 'buys'} {abs(demand):,.4g}"


def test_a_sequence_of_claims_is_drawn_in_its_order() -> None:
    result = book_of(6, long=False)
    claims = ["runner 4", "runner 1"]
    shown = titles(kpm.plot.staircase(result, claims))
    assert [title.get_text().split(" at ")[0] for title in shown] == claims
    assert len(kpm.plot.staircase(result, np.array(["runner 3"]))) == 1
    assert kpm.plot.staircase(result, "runner 3").get_title(loc="left").startswith("runner 3")
    _, axes = new_figure(8, 6, 2, 4)
    drawn = kpm.plot.staircase(result, axes=axes)
    assert list(drawn) == axes
    assert [panel.get_visible() for panel in axes] == [True] * 6 + [False] * 2


@pytest.mark.parametrize("giant", [1e3, 1e9])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("trades", [True, False])
def test_a_giant_does_not_hide_what_trades(giant: float, side: int, trades: bool) -> None:
    """The axis spans a few multiples of what trades, with the clearing point and zero inside."""
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.0, claims=["one"])
    limits = [0.6, 0.4] if trades else [0.3, 0.7]
    orders = kpm.Orders(
        ["one"] * 3, [1, -1, side], [*limits, 0.1 if side > 0 else 0.9], [10, 8, giant]
    )
    result = kpm.clear(market, orders)
    bottom, top = kpm.plot.staircase(result, "one").get_ylim()
    assert bottom < min(0.0, result.net_demand[0])
    assert max(0.0, result.net_demand[0]) < top
    assert top - bottom <= 100.0
    assert (result.volume > 0) is trades


@pytest.mark.parametrize("high", [1.0, 100.0])
@pytest.mark.parametrize(
    ("limits", "whole"),
    [([0.1, 0.9], True), ([0.01, 0.03], False), ([0.4, 0.41], False), ([0.97, 0.99], False)],
)
def test_a_staircase_shows_its_steps(limits: list[float], whole: bool, high: float) -> None:
    """A claim at a hundredth of its payoff is not drawn in a hundredth of the picture."""
    market = kpm.Market([[high, 0]], [0.5, 0.5], risk_aversion=0.01, claims=["one"])
    orders = kpm.Orders(["one"] * 2, [1, -1], [limits[1] * high, limits[0] * high], [10, 10])
    result = kpm.clear(market, orders)
    axes = result.plot("staircase").axes[0]  # the market has one claim
    left, right = axes.get_xlim()
    assert 0.0 <= left < min(*orders.price, result.claim_prices[0])
    assert high >= right > max(*orders.price, result.claim_prices[0])
    if whole:
        assert (left, right) == (0.0, high)
        assert "pays" not in axes.get_xlabel()
    else:
        assert right - left < 0.1 * high
        assert f"it pays 0 to {high:g}" in axes.get_xlabel()


@pytest.mark.parametrize("limit", [0.2, 0.5, 0.9])
def test_texts_on_a_staircase_do_not_cover_its_price(limit: float) -> None:
    market = kpm.Market([[1, 0], [0, 1]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.0)
    bids, offers = [0.1, limit, limit], [limit, 0.95]
    sides = ["buy"] * 3 + ["sell"] * 2
    cleared = kpm.clear(market, kpm.Orders([0] * 5, sides, bids + offers, [5, 40, 5, 20, 5]))
    panel = kpm.plot.staircase(cleared, 0)
    figure = panel.figure
    figure.canvas.draw()
    across = panel.transData.transform((cleared["0"].price, 0.0))[0]
    said = [text for text in panel.texts if text.get_text().startswith("maker ")]
    assert len(said) == 2
    for text in said:
        extent = text.get_window_extent()
        assert not extent.x0 <= across <= extent.x1


def test_where_trade_stops_is_said_above_the_panel() -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    orders = kpm.Orders([0], "buy", [0.6], [10])
    priors = {"even": [0.5, 0.5], "a longer name": [0.45, 0.55]}
    (panel,) = kpm.sweep(market, orders, ambiguity=[0.0, 0.02, 0.05], prior=priors).plot().axes
    panel.figure.canvas.draw()
    said = [text.get_window_extent() for text in panel.texts]
    assert len(said) == 2
    assert min(box.y0 for box in said) >= panel.bbox.y1
    assert not said[0].overlaps(said[1])
    assert all(not panel.title.get_window_extent().overlaps(box) for box in said)
    assert not any(panel._left_title.get_window_extent().overlaps(box) for box in said)


def test_rounding_is_not_magnified_in_a_proof() -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01)
    result = kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10]), certificate=True)
    low, high = result.plot("proof").axes[0].get_ylim()
    assert low <= -result.tolerance * result.scale < 0.0 < high


def test_every_leaf_of_a_proof_is_drawn(result: kpm.Result) -> None:
    proof = result.certificate
    assert proof is not None
    axes = kpm.plot.proof(result)
    drawn = [bar.get_height() for bar in axes.containers[0]] if axes.containers else None
    short = np.sort(proof.bound[np.isfinite(proof.bound)])[::-1] - result.certainty_equivalent
    if drawn is not None:
        np.testing.assert_allclose(drawn, short, atol=1e-12 * result.scale)
    assert f"{len(proof):,} " in axes.get_title(loc="left")


def test_own_pictures_in_the_house_style() -> None:
    before = dict(matplotlib.rcParams)
    with kpm.plot.house_style():
        figure = matplotlib.figure.Figure()
        axes = figure.subplots()
        colours = [axes.plot([k, 1])[0].get_color() for k in range(5)]
        axes.set_title("left")
        legend = axes.legend(["a"])
    assert len(set(colours)) == 5
    assert axes.get_title(loc="left") == "left"
    assert not legend.get_frame_on()
    assert not axes.spines["top"].get_visible()
    assert dict(matplotlib.rcParams) == before


def test_threads_that_draw_leave_the_settings_as_they_were() -> None:
    """One that begins while another draws waits: it would restore what the other had set."""
    before = dict(matplotlib.rcParams)
    inside, first_left = threading.Event(), threading.Event()
    found = []

    def draw() -> None:
        with kpm.plot.house_style():
            inside.set()
            first_left.wait(60)
            found.append(matplotlib.rcParams["axes.titleweight"])

    team = threading.Thread(target=draw)
    with kpm.plot.house_style(), kpm.plot.house_style():
        team.start()
        assert not inside.wait(0.05)
    first_left.set()
    team.join()
    assert found == ["bold"]
    assert dict(matplotlib.rcParams) == before


def test_axes_in_are_axes_out() -> None:
    result = book_of(3, long=False)
    figure, panels = new_figure(8, 6, 2, 4)
    assert kpm.plot.risk(result, axes=panels[0]) is panels[0]
    assert kpm.plot.fills(result, panels[1]) is panels[1]
    assert kpm.plot.staircase(result, "runner 1", panels[2]) is panels[2]
    assert list(kpm.plot.book(result, axes=panels[3:])) == panels[3:]
    assert [panel.get_visible() for panel in panels[3:]] == [True, True, True, False, False]
    swept = kpm.sweep(result.market, result.orders, ambiguity=[0.0, 0.01])
    assert kpm.plot.sweep(swept, "gain", panels[0]) is panels[0]
    assert result.plot().axes[0].figure is not figure


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda r: r.plot("boook"), r"kind: .*got 'boook': did you mean 'book'"),
        (lambda r: r.plot("staircase", "runer 1"), "did you mean 'runner 1'"),
        (lambda r: kpm.plot.staircase(r, []), "claims: must name at least one"),
        (lambda r: kpm.plot.staircase(r, ["runner 0", "rnner 1"]), "did you mean 'runner 1'"),
        (
            lambda r: kpm.plot.staircase(r, ["runner 0"] * 2, new_figure(2, 2)[1]),
            "axes: must be at least 2, one for each claim, got 1",
        ),
        (
            lambda r: r.plot("risk", "runner 1"),
            "claim: is not used by 'risk', which shows all, got 'runner 1'",
        ),
        (lambda r: r.plot("book", "runer 1"), "did you mean 'runner 1'"),
        (lambda r: kpm.plot.book(r, []), "claims: must name at least one"),
        (lambda r: kpm.plot.risk(r, axes=3), "axes: must be matplotlib axes, got 3"),
        (
            lambda r: kpm.plot.book(r, ["runner 0"] * 2, new_figure(2, 2)[1]),
            "axes: must be at least 2, one for each claim, got 1",
        ),
    ],
)
def test_bad_arguments_of_pictures_are_refused(draw: Any, message: str) -> None:
    with pytest.raises(kpm.InputError, match=message):
        draw(book_of(3, long=False))


def test_a_clearing_without_proof_or_trade() -> None:
    market = kpm.Market([[1, 0], [2, 2]], [0.5, 0.5], claims=["a", "flat"])
    result = kpm.clear(market, kpm.Orders([], [], [], []))
    with pytest.raises(kpm.InputError, match="certificate=True"):
        result.plot("proof")
    assert kpm.plot.fills(result).get_title(loc="left") == "Nothing trades"
    assert kpm.plot.staircase(result, "flat").get_title(loc="left").endswith("takes no side")
    assert "least 0, at most 0" in kpm.plot.risk(result).get_title(loc="left")


def test_blocks_of_quotes() -> None:
    result = book_of(3, long=False)
    quotes = result.market.maker.quotes(result.market, np.tile([1.0, 10.0, 50.0], (3, 1)))
    assert "3 blocks" in kpm.plot.quotes(quotes).get_title(loc="left")
    assert "the next share" in kpm.plot.quotes(result).get_title(loc="left")
    with pytest.raises(kpm.InputError, match=r"quotes: must be what a maker's quotes.*got Market"):
        kpm.plot.quotes(result.market)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "short"), [("abcdef", "abcdef"), ("abcdefghij", "abc…ij")])
def test_names_are_shortened_in_their_middle(name: str, short: str) -> None:
    assert shortened(name, 6) == short


def test_dollars_are_no_mathematics() -> None:
    names = ["up $5 to $10", r"\$x", "$", r"$\frac$"]
    market = kpm.Market(np.eye(4), np.full(4, 0.25), claims=names, states=names)
    for kind in ("fills", "risk"):
        figure = kpm.clear(market, kpm.Orders([0], 1, 0.9, 1)).plot(kind)
        figure.draw_without_rendering()
        texts = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert not any(map(cbook.is_math_text, texts))
        assert [text.replace(r"\$", "$") for text in texts] == names


def test_letters_that_the_font_lacks_are_looked_for_in_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of fonts that are installed only: matplotlib complains of others at every text."""
    for installed, expected in (({"Yu Gothic", "Arial"}, ["Yu Gothic"]), (set(), [])):
        monkeypatch.setattr(font_manager, "get_font_names", lambda found=installed: list(found))
        style._fonts.cache_clear()
        with kpm.plot.house_style():
            assert matplotlib.rcParams["font.family"] == ["DejaVu Sans", *expected]
    style._fonts.cache_clear()


def test_orders_left_unfilled_do_not_hide_what_trades() -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.0, claims=["one"])
    orders = kpm.Orders([0] * 3, [1, -1, -1], [0.6, 0.4, 0.5], [10, 10, 4e8])
    axes = kpm.clear(market, orders).plot("fills").axes[0]
    assert axes.get_xlim()[1] < 1000
    assert axes.get_xlabel().endswith("not filled; cut at the edge)")
    assert "cut" not in kpm.clear(market, orders[:2]).plot("fills").axes[0].get_xlabel()


@pytest.mark.parametrize(
    ("value", "text"),
    [(6e6, "6,000,000"), (0.25, "0.25"), (-1234.5, "\u22121,234.5"), (1e20, "1e+20")],
)
def test_amounts(value: float, text: str) -> None:
    assert amount(value) == text


def test_a_staircase_shows_the_steps_in_reach() -> None:
    """Demands that are out of the picture do not widen its prices."""
    market = kpm.Market([[1, 0]], [0.5, 0.5], risk_aversion=0.01, ambiguity=0.0, claims=["one"])
    limits = [0.52, 0.48, 0.45, 0.55, 0.01, 0.99]
    orders = kpm.Orders([0] * 6, [1, -1] * 3, limits, [10, 10, *[1e6] * 4])
    axes = kpm.clear(market, orders).plot("staircase").axes[0]
    left, right = axes.get_xlim()
    assert 0.4 < left < 0.48
    assert 0.52 < right < 0.6


def test_a_default_name_writes_over_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(Path(__file__).parent.parent / "examples" / "race_card")
    monkeypatch.chdir(tmp_path)
    for words, first, named in (
        (["plot", folder], "book.png", "book"),
        (["report", folder, "--no-sensitivity"], "clearing.html", "clearing.html"),
    ):
        assert cli.main(words) == 0
        printed = capsys.readouterr().out.split()
        assert printed[0] == first
        assert sorted(printed) == sorted(path.name for path in tmp_path.iterdir())
        Path(first).write_text("of another book")
        assert cli.main(words) == 2
        message = f"--output: {first} exists: name it by --output to write over it"
        assert message in capsys.readouterr().err
        assert Path(first).read_text() == "of another book"
        assert cli.main([*words, "--output", named]) == 0
        assert Path(first).stat().st_size > 1000
        for path in tmp_path.iterdir():
            path.unlink()
        capsys.readouterr()


def test_the_command_draws_folders_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(__file__).parent.parent / "examples" / "race_card"
    assert cli.main(["plot", str(folder), "--picture", "book", "proof", "--output", "card"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "card-book.png",
        "card-book.svg",
        "card-proof.png",
        "card-proof.svg",
    ]
    kpm.clear(*kpm.read_book(folder)).save("saved.kpm")
    assert cli.main(["plot", "saved.kpm", "--picture", "quotes"]) == 0
    assert Path("quotes.svg").is_file()
    args = ["plot", "saved.kpm", "--picture", "staircase", "--output"]
    assert cli.main([*args, "all"]) == 0
    assert cli.main([*args, "one", "--claim", "Amber Lantern"]) == 0
    assert Path("all.png").stat().st_size > Path("one.png").stat().st_size > 0
    assert cli.main([*args, "none", "--claim", "Amber"]) == 2
    assert "no claim 'Amber'; it has 'Amber Lantern'" in capsys.readouterr().err
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=["rain"])
    kpm.clear(market, kpm.Orders(["rain"], 1, [0.6], [5])).save("rain.kpm")
    assert cli.main(["plot", "rain.kpm", "--picture", "staircase"]) == 0
    assert Path("staircase.svg").is_file()
    assert cli.main(["plot", "saved.kpm", "--picture", "proof"]) == 2
