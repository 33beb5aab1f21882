"""Figures: they draw, hold the texts they should, and are the same bytes every time."""

from __future__ import annotations

import builtins
import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpm_fast
from docs.pictures import __main__ as documentation
from docs.pictures import proof as proof_picture
from docs.pictures.book_pictures import _corners, staircase
from docs.pictures.proof import proof
from kpm_fast import sample
from kpm_fast.cli.paper import FINDINGS
from kpm_fast.cli.paper import run as run_paper
from kpm_fast.errors import MissingDependencyError
from kpm_fast.paper import figures
from kpm_fast.paper import simulations as paper
from kpm_fast.paper.order_figures import figure_5, figure_6
from kpm_fast.plots.book import draw_book
from kpm_fast.plots.style import (
    house_style,
    new_figure,
    numbered_ids,
    save,
    svg_text,
)
from programs import run_program

pytestmark = pytest.mark.unsanitized

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def simulation_a() -> paper.Simulation:
    return paper.simulation_a()


@pytest.fixture(scope="module")
def simulation_b() -> paper.Simulation:
    return paper.simulation_b()


def texts(figure: Any) -> list[str]:
    found = [item.get_text().strip() for item in figure.findobj(matplotlib.text.Text)]
    return [text for text in found if text]


def test_figure_1_labels_every_security_and_the_end_of_trade(
    simulation_a: paper.Simulation,
) -> None:
    figure = figures.figure_1(simulation_a, paper.ambiguity_sweep([0.0, 0.3, 0.6, 0.7, 2.0]))
    found = texts(figure)
    assert {f"security {i}" for i in range(1, 6)} <= set(found)
    assert "nothing trades from Ω = 0.70 on" in found
    assert "ambiguity aversion Ω (nats)" in found


@pytest.mark.parametrize("omegas", [[0.0, 0.1], [1.0, 2.0]])
def test_figure_1_where_all_or_nothing_trades(
    simulation_a: paper.Simulation, omegas: list[float]
) -> None:
    assert figures.figure_1(simulation_a, paper.ambiguity_sweep(omegas)).axes


def test_figure_2_shows_the_stated_probability(simulation_b: paper.Simulation) -> None:
    found = texts(figures.figure_2(simulation_b))
    assert {"63.6 %", "uniform prior", "exponential prior"} <= set(found)


def test_figure_3_draws_the_fills(simulation_b: paper.Simulation) -> None:
    (axes,) = figures.figure_3(simulation_b).axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([0, 0, 0, 0, 0, 1, 1, 1, 0, 0], abs=1e-6)


def test_staircase_numbers_its_pieces_and_names_both_kinds() -> None:
    found = texts(staircase())
    assert {str(piece) for piece in range(21)} <= set(found)
    assert any(text.startswith("flat:") for text in found)
    assert any(text.startswith("step:") for text in found)


def test_staircase_corners() -> None:
    corners = _corners([(0.5, 2.0)], [(0.5, 1.0), (0.25, 4.0)])
    expected = [(0, 2), (0.25, 2), (0.25, -2), (0.5, -2), (0.5, -5), (1, -5)]
    assert np.array_equal(corners, expected)


def test_clearing_names_every_claim_and_its_position() -> None:
    market, orders = sample.race_card(runners=4, levels=1, seed=3, crossed=1.0)
    result = kpm_fast.clear(market, orders)
    found = texts(draw_book(result))
    for claim in market.claims:
        assert any(text.startswith(f"{claim} at ") for text in found)
    assert sum(text.startswith("maker ") for text in found) == 4


def test_clearing_of_a_book_without_orders() -> None:
    market, orders = sample.race_card(runners=4, levels=0)
    figure = draw_book(kpm_fast.clear(market, orders), title="empty")
    assert "maker: no position" in texts(figure)
    assert "empty" in texts(figure)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first = save(staircase(), tmp_path / "first" / "staircase")
    again = save(staircase(), tmp_path / "again" / "staircase")
    assert [path.suffix for path in first] == [".png", ".svg"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert b"<dc:date>" not in first[1].read_bytes()


def test_the_callers_settings_neither_matter_nor_change() -> None:
    with matplotlib.rc_context({"font.size": 40.0, "text.usetex": True}):
        with house_style():
            assert matplotlib.rcParams["font.size"] == 10.0
            figure, axes = new_figure(2.0, 2.0, 2, 3)
        assert matplotlib.rcParams["font.size"] == 40.0
    assert len(axes) == len(figure.axes) == 6


def test_pyplot_is_not_touched() -> None:
    """A figure is drawn without global state: no backend is chosen, no window can open."""
    code = """
import sys
from kpm_fast.paper import figures, simulations
assert figures.figure_2(simulations.simulation_b()).axes
assert "matplotlib.pyplot" not in sys.modules
"""
    run_program(code)


def test_without_matplotlib_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real_import = builtins.__import__

    def refuse(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real_import(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingDependencyError, match=r"pip install 'kpm-fast\[plot\]'"):
        run_paper(Namespace(output=tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def words(picture: Path) -> list[str]:
    """The texts of a picture, which matplotlib repeats as comments beside their outlines."""
    found = re.findall(r"<!-- (.*?) -->", picture.read_text(encoding="utf-8"))
    assert found
    return found


def test_documentation_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "_SWEEP_STEPS", 4)
    assert documentation.main(["--output", str(tmp_path)]) == 0
    names = {"figure_1", "figure_2", "figure_3", "mechanisms", "proof", "race_card", "staircase"}
    expected = {f"{name}.{kind}" for name in names for kind in ("png", "svg")}
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == expected
    rest = {f"paper/{path.stem}" for path in (tmp_path / "paper").iterdir()}
    assert rest == {f"paper/{stem}" for find in FINDINGS for stem in find().figures}
    assert len(capsys.readouterr().out.split()) == 14 + len(rest)
    for name in (names | rest) - {"figure_1"}:  # which has fewer steps here
        drawn, stored = (folder / f"{name}.svg" for folder in (tmp_path, ROOT / "docs" / "images"))
        assert words(drawn) == words(stored), "python -m docs.pictures --output docs/images"


@pytest.mark.parametrize("draw", [figure_5, figure_6])
def test_labels_of_axes_in_space_stand_in_their_own_panel(draw: Callable[[], Figure]) -> None:
    figure = draw()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    left = 0.0
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):  # type: ignore[attr-defined]
            label = axis.label.get_window_extent(canvas.get_renderer())
            assert left <= label.x0, axis.label.get_text()
            assert label.x1 <= axes.bbox.x1, axis.label.get_text()
            assert label.y0 >= 0.0, axis.label.get_text()
        left = axes.bbox.x1


def test_the_picture_of_a_proof_shows_its_numbers() -> None:
    market, orders = proof_picture.proof_book()
    result = kpm_fast.clear(market, orders, certificate=True)
    kpm_fast.check_certificate(market, orders, result).raise_if_failed()
    assert result.certificate is not None
    found = texts(proof())
    for bound in result.certificate.bound:
        assert f"≤ {bound:.3f}" in found
    assert f"best clearing: {result.certainty_equivalent:.3f}" in found
    assert f"4  Proof: {result.certificate.leaves} leaves tile all 81 cells" in found


def test_the_picture_s_relaxation_lies_in_the_hulls_and_prices_agree() -> None:
    market, orders = proof_picture.proof_book()
    stairs = kpm_fast.staircases(market, orders)
    ends = tuple(len(stair) - 1 for stair in stairs)
    prices, demands = proof_picture._relax(market, stairs, ((0, 0), ends))
    assert (prices >= 0).all()
    assert prices.sum() <= 1 + 1e-6  # home and draw exclude each other
    for stair, demand in zip(stairs, demands, strict=True):
        assert stair[:, 2].min() <= demand <= stair[:, 3].max()


def test_a_last_bit_of_the_layout_changes_no_file() -> None:
    """matplotlib's own identifiers are hashes of exact coordinates."""

    def drawn(left: float) -> str:
        with house_style():
            figure = matplotlib.figure.Figure(figsize=(4, 3))
            axes = figure.add_axes((left, 0.2, 0.7, 0.7))
            axes.plot([1, 2, 3], [2, 3, 5], "o-", clip_on=True)
            axes.fill_between([1, 2, 3], [2, 3, 5])
            return svg_text(figure, metadata={"Date": None})

    first, second = drawn(0.2), drawn(float(np.nextafter(0.2, 1)))
    assert first == second
    identifiers = re.findall(r'\bid="([^"]*)"', first)
    assert len(set(identifiers)) == len(identifiers)
    assert set(re.findall(r'(?:url\(|href=")#([^)"]*)', first)) <= set(identifiers)
    assert "clip-path" in first
    assert not re.search(r'"[a-z][0-9a-f]{10}"', first)


def test_pictures_of_the_documentation_have_numbered_identifiers() -> None:
    pictures = list((ROOT / "docs" / "images").rglob("*.svg"))
    assert len(pictures) > 20
    for path in pictures:
        drawing = path.read_text(encoding="utf-8")
        assert numbered_ids(drawing) == drawing, path.name
