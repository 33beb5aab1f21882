"""Every number of the golden files is asked for by a test that reads its file."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest

import kpm_fast as kpm
from auction_books import GOLDEN, golden
from kpm_fast.paper.examples import book

pytestmark = pytest.mark.cross_section

TESTS = Path(__file__).parent
#: Mappings from names that are data: tests go through all of them.
BY_NAME = {
    "ambiguity_to_bid_ask_by_state",
    "block_per_share",
    "claims",
    "lotteries",
    "maxmin_value_u_of_1_is_1_u_of_0_is_0",
    "numeric",
}
#: What goes in; how the files were made; and two values whose inputs or formula they do not give.
NO_ANSWERS = {"inputs", "orders", "checks", "random_books", "theorem_A"}
NO_ANSWERS |= {"brier_check", "L_as_printed"}


def has_number(value):
    if isinstance(value, dict | list):
        return any(map(has_number, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, str) or re.fullmatch(r"[-+\d./e]+", value) is not None


def keys(value, *path):
    """The keys below which a number stands."""
    if isinstance(value, list):
        return set().union(*(keys(each, *path) for each in value))
    if not isinstance(value, dict):
        return set()
    found = {key for key, below in value.items() if has_number(below)} - NO_ANSWERS
    by_name = path[-1] in BY_NAME or path == ("quotes", "answers")
    below = (keys(value[key], *path, key) for key in found)
    return set().union(() if by_name else found, *below)


def constants(path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_no_answer_is_left_unread(path):
    names = ("test_auction_golden", "test_golden", "test_makers")
    modules = [constants(TESTS / f"{name}.py") for name in names]
    asked = constants(TESTS / "auction_books.py").union(*(m for m in modules if path.stem in m))
    assert keys(golden(path.stem), path.stem) - asked == set()


def test_the_cells_of_examples_1_to_4():
    example = golden("paper_examples")["example_1_to_4"]
    pieces = [len(staircase) for staircase in kpm.staircases(*book())]
    assert pieces == example["pieces"]
    assert math.prod(pieces) == example["cells"]


def test_the_cell_of_the_misprinted_9():
    market = kpm.Market(np.eye(3), [0.3, 0.3, 0.4], risk_aversion=1.0, ambiguity=0.1)
    orders = kpm.Orders([0, 1, 2], "buy", [0.6, 0.6, 0.01], [1, 1, 100])
    cell = kpm.solve_cell(market, orders, [0, 0, 2], tolerance=1e-12)
    wanted = golden("paper_examples")["misprint_9"]["L_true"]
    assert math.exp(-cell.certainty_equivalent) == pytest.approx(wanted, rel=1e-12)
