"""A clearing in HTML: one file that is valid, complete, small, quiet, and readable by anybody."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import kpm_fast as kpm
from kpm_fast.cli import command as cli
from kpm_fast.markup import aligned, table
from programs import run_command

pytestmark = pytest.mark.unsanitized

pytest.importorskip("matplotlib")
html5lib = pytest.importorskip("html5lib")

CARD = Path(__file__).parent.parent / "examples" / "race_card"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NASTY = '<script>alert("x")</script> & "co"'
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def card() -> kpm.Result:
    market, orders = kpm.read_book(CARD)
    return kpm.clear(market, orders, certificate=True, threads=1)


@pytest.fixture(scope="module")
def path(card: kpm.Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "clearing.html"
    card.report(path, title="A race")
    return path


def parse(text: str) -> Any:
    """The tree of a page; any error of HTML 5 raises."""
    return html5lib.HTMLParser(strict=True).parse(text)


def words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.fixture(scope="module")
def tree(path: Path) -> Any:
    return parse(path.read_text("utf-8"))


def test_a_report_is_small_and_loads_nothing(path: Path, tree: Any) -> None:
    assert path.stat().st_size < 1_000_000
    for element in tree.iter():
        for name, value in element.attrib.items():
            if name.split("}")[-1] in ("src", "href", "action", "data"):
                assert value.startswith(("#", "data:")), (element.tag, name, value)
    assert not list(tree.iter(f"{XHTML}script"))
    style = words(next(tree.iter(f"{XHTML}style")))
    assert "url(" not in style
    assert "@import" not in style


def test_a_report_has_the_figures_of_the_clearing(card: kpm.Result, tree: Any) -> None:
    said = words(next(tree.iter(f"{XHTML}body")))
    for claim, price in zip(card.market.claims, card.claim_prices, strict=True):
        assert claim in said
        assert f"{price:.6f}".rstrip("0") in said
    for state in card.market.states:
        assert state in said
    filled = card.orders.order_id[card.fills > 0]
    listed = next(t for t in tree.iter(f"{XHTML}table") if words(t).startswith("Filled orders"))
    heads = [words(row.find(f"{XHTML}th")) for row in listed.find(f"{XHTML}tbody")]
    assert heads == filled.tolist()
    assert "All 32 checks passed." in said
    assert "The proof holds: all 14 checks passed." in said
    assert "Orders cross: they trade with each other at any ambiguity." in said


def test_figures_and_tables_have_accessible_names(tree: Any) -> None:
    named = {e.attrib["id"]: e for e in tree.iter() if "id" in e.attrib}
    assert len(named) == sum("id" in e.attrib for e in tree.iter())  # no identifier twice
    drawings = list(tree.iter(f"{SVG}svg"))
    assert len(drawings) == len(list(tree.iter(f"{XHTML}figure"))) == 5
    for drawing in drawings:
        assert drawing.attrib["role"] == "img"
        for name in drawing.attrib["aria-labelledby"].split():
            assert words(named[name])
    for figure in tree.iter(f"{XHTML}figure"):
        assert words(named[figure.attrib["aria-labelledby"]])
    for item in tree.iter(f"{XHTML}table"):
        assert words(item.find(f"{XHTML}caption"))
        assert all("scope" in head.attrib for head in item.iter(f"{XHTML}th"))
    for link in tree.iter(f"{XHTML}a"):
        assert link.attrib["href"][1:] in named
    assert tree.attrib["lang"] == "en"


def test_drawings_take_the_colours_of_the_page(path: Path) -> None:
    drawings = re.findall(r"<svg.*?</svg>", path.read_text("utf-8"), re.S)
    for drawing in drawings:
        assert "currentColor" in drawing
        assert re.findall(r"(?:fill|stroke|color): *#", drawing) == []
        for reference in re.findall(r'(?:url\(|href=")#([\w-]+)', drawing):
            assert f'id="{reference}"' in drawing


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    digits = colour if len(colour) > 4 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("ground", ["light", "dark", "paper"])
def test_text_has_enough_contrast_on_any_background(path: Path, ground: str) -> None:
    """A contrast of at least 4.5 for colours of text and 3 for lines, as WCAG asks."""
    roots = re.findall(r":root \{([^}]*)\}", path.read_text("utf-8"))
    assert len(roots) == 3
    chosen = roots[("light", "dark", "paper").index(ground)]
    colours = dict(re.findall(r"--(\w+): (#\w+)", chosen))
    least = {
        "ink": 7.0,
        "grey": 4.5,
        "good": 4.5,
        "bad": 4.5,
        "blue": 4.5,
        "orange": 4.5,
        "pink": 3.0,
    }
    assert set(colours) == {*least, "ground", "pale"}
    for name, needed in least.items():
        dark, light = sorted([luminance(colours[name]), luminance(colours["ground"])])
        assert (light + 0.05) / (dark + 0.05) >= needed, name


def test_the_same_result_gives_the_same_page(card: kpm.Result, path: Path, tmp_path: Path) -> None:
    card.report(tmp_path / "again.html", title="A race")
    assert (tmp_path / "again.html").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("sign", ["\x07", "\0", "\x85", "\ufffe", "\U0001ffff"])
@pytest.mark.filterwarnings("error")
def test_signs_that_no_page_may_hold_are_written_out(sign: str, tmp_path: Path) -> None:
    """They may be in labels; half a surrogate pair comes from folders, as below, alone."""
    name = f"b{sign}ck"
    market = kpm.Market(np.eye(2), [0.5, 0.5], claims=[name, "b"], states=["x", name])
    orders = kpm.Orders([name], "buy", [0.7], 1, order_id=[name])
    result = kpm.clear(market, orders, certificate=True)
    result.report(tmp_path / "page.html", title=name)
    page = (tmp_path / "page.html").read_text("utf-8")
    written = sign.encode("unicode_escape").decode()
    assert words(parse(page)).count(f"b{written}ck") >= 4
    assert f"b{written}ck" in result._repr_html_()
    for drawing in re.findall("<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(drawing)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes")
def test_the_command_reports_a_folder_whose_name_is_not_utf8(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / os.fsdecode(b"b\xfck")
    kpm.write_book(folder, *kpm.read_book(CARD))
    page = tmp_path / "page.html"
    assert cli.main(["report", str(folder), "--output", str(page), "--no-sensitivity"]) == 0
    capsys.readouterr()
    assert r"<h1>Clearing of b\udcfck</h1>" in page.read_text("utf-8")


def test_labels_are_text(tmp_path: Path) -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], claims=[NASTY], states=[NASTY, "other"])
    orders = kpm.Orders([NASTY], "buy", [0.9], [1], order_id=[NASTY])
    result = kpm.clear(market, orders)
    result.report(tmp_path / "page.html", title=NASTY)
    tree = parse((tmp_path / "page.html").read_text("utf-8"))
    assert not list(tree.iter(f"{XHTML}script"))
    assert words(next(tree.iter(f"{XHTML}h1"))) == NASTY
    fragment = html5lib.parseFragment(result._repr_html_())
    assert not list(fragment.iter(f"{XHTML}script"))
    assert NASTY in words(fragment)


@pytest.mark.parametrize("rule", ["competitive", "pay_as_bid"])
def test_convex_rules_and_other_makers(rule: str, tmp_path: Path) -> None:
    market, orders = kpm.read_book(CARD)
    worst = market.replace(maker=kpm.WorstStateMaker(len(market.states)))
    kpm.clear(worst, orders, rule=rule).report(tmp_path / "page.html")
    said = words(parse((tmp_path / "page.html").read_text("utf-8")))
    assert "This rule is convex" in said
    assert "no ambiguity that could be varied" in said


def test_a_book_in_which_nothing_trades(tmp_path: Path) -> None:
    market = kpm.Market([[1, 0]], [0.5, 0.5], ambiguity=0.1, risk_aversion=0.01)
    kpm.clear(market, kpm.Orders([0], "buy", [0.6], [10])).report(tmp_path / "page.html")
    said = words(parse((tmp_path / "page.html").read_text("utf-8")))
    assert "No order is filled." in said
    assert "Trade stops at an ambiguity of 0.02" in said
    assert "is not less: nothing is gained" in said
    assert "Its proof was not kept" in said


def test_a_report_says_when_a_check_fails(card: kpm.Result, tmp_path: Path) -> None:
    wrong = dataclasses.replace(card, revenue=card.revenue + 1.0)
    wrong.report(tmp_path / "page.html", sensitivity=False)
    said = words(parse((tmp_path / "page.html").read_text("utf-8")))
    assert re.search(r"\d of 32 checks FAILED", said)
    assert "Sensitivity" not in said


@pytest.mark.parametrize("fault", ["clearing", "proof"])
def test_the_command_fails_where_a_check_fails(
    card: kpm.Result, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    proof = card.certificate
    assert proof is not None
    wrong = dataclasses.replace(
        card,
        revenue=card.revenue + (fault == "clearing"),
        certificate=dataclasses.replace(proof, bound=proof.bound - 100.0 * (fault == "proof")),
    )
    wrong.save(tmp_path / "wrong.kpm")
    page = tmp_path / "page.html"
    arguments = [str(tmp_path / "wrong.kpm"), "--output", str(page), "--no-sensitivity"]
    assert cli.main(["report", *arguments]) == cli.EXIT_UNVERIFIED
    said = words(parse(page.read_text("utf-8")))
    assert ("checks FAILED" in said, "The proof does NOT hold" in said) == (
        fault == "clearing",
        fault == "proof",
    )


def test_many_orders_stay_below_a_megabyte(tmp_path: Path) -> None:
    market, orders = kpm.sample.race_card(runners=12, levels=60, seed=2, crossed=1.0)
    result = kpm.clear(market, orders, node_limit=8)
    result.report(tmp_path / "page.html", sensitivity=False)
    assert (tmp_path / "page.html").stat().st_size < 1_000_000


def browser() -> str:
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"none of {', '.join(BROWSERS)} is installed")


@pytest.mark.unsanitized
def test_a_browser_opens_a_report_without_console_messages(path: Path, tmp_path: Path) -> None:
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'p'}"]
    shown = run_command(
        [browser(), *options, "--enable-logging=stderr", "--dump-dom", path.as_uri()]
    )
    assert shown.returncode == 0, shown.stderr
    assert "The proof holds" in shown.stdout
    assert [line for line in shown.stderr.splitlines() if "CONSOLE" in line] == []
    printed = tmp_path / "page.pdf"
    made = run_command([browser(), *options, f"--print-to-pdf={printed}", path.as_uri()])
    assert made.returncode == 0, made.stderr
    assert printed.read_bytes().startswith(b"%PDF")


def test_a_notebook_shows_prices_and_wealth(card: kpm.Result) -> None:
    said = words(html5lib.parseFragment(card._repr_html_()))
    assert said.startswith("Proven optimal")
    assert "Amber Lantern0.227273" in said
    assert "in the worst state" in said


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1.5, 22.25, 0.0], ["1.50", "22.25", "0.00"]),
        ([1.0, 2.0, -0.0], ["1", "2", "0"]),
        ([1234567.891, 2e-7], ["1,234,568", "2e-07"]),
        ([0.1, 1 / 3], ["0.100000", "0.333333"]),
        ([np.inf, np.nan, 0.5], ["inf", "nan", "0.5"]),
        ([], []),
        ([0.0], ["0"]),
    ],
)
def test_numbers_line_up(values: list[float], written: list[str]) -> None:
    assert aligned(values) == written


def test_columns_that_are_compared_have_the_same_decimals() -> None:
    shown = table(
        "t", {"o": ["a"], "quantity": [53127.7], "filled": [1.34]}, alike=("quantity", "filled")
    )
    assert "53,127.70" in shown
    assert "1.34" in shown


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], card: kpm.Result) -> None:
    saved, page = tmp_path / "saved.kpm", tmp_path / "out.html"
    card.save(saved)
    assert cli.main(["report", str(saved), "--output", str(page), "--no-sensitivity"]) == 0
    assert "<h1>Clearing of saved.kpm</h1>" in page.read_text("utf-8")
    assert cli.main(["report", str(saved), "--output", str(saved)]) == 2
    assert "would overwrite" in capsys.readouterr().err
    assert cli.main(["report", str(CARD), "--ambiguity", "0.02", "--output", str(page)]) == 0
    assert "ambiguity 0.02 nats" in page.read_text("utf-8")


@pytest.mark.parametrize("rule", ["maker_optimal", "competitive", "pay_as_bid"])
@pytest.mark.parametrize("maker", [kpm.LMSR(5.0, [0.5, 0.5]), kpm.KnightianMaker([0.5, 0.5], 1, 0)])
def test_a_market_of_a_given_maker_is_reported(rule: str, maker: kpm.Maker, tmp_path: Path) -> None:
    market = kpm.Market(np.eye(2), maker=maker)
    result = kpm.clear(market, kpm.Orders([0, 1], "buy", [0.7, 0.6], 1), rule=rule)
    result.report(tmp_path / "report.html")
    page = words(parse((tmp_path / "report.html").read_text()))
    assert "The same book under other ambiguities" in page
