"""Every number of the golden files is looked at by a test as it runs."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

import kpm_fast as kpm
from adapter import market_of, orders_of
from auction_books import GOLDEN, golden
from kpm_fast.paper.examples import book
from misprint import MISPRINT
from witness import rho

pytestmark = pytest.mark.cross_section

TESTS = Path(__file__).parent
READERS = ("test_auction_golden", "test_golden", "test_makers")
#: What goes in; how the files were made; and a value whose inputs they do not give.
NO_ANSWERS = {"inputs", "orders", "checks", "random_books", "theorem_A", "brier_check"}


def has_number(value):
    if isinstance(value, dict | list):
        return any(map(has_number, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, str) or re.fullmatch(r"[-+\d./e]+", value) is not None


def answers(value, *path):
    """The keys down to each number, without the positions in lists."""
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return set().union(*(answers(item, *path) for item in value))
    if not isinstance(value, dict):
        return {path} if has_number(value) else set()
    return set().union(
        *(answers(item, *path, key) for key, item in value.items() if key not in NO_ANSWERS)
    )


def read():
    """What the tests of the golden files look at when they run, all of them in one process."""
    script = (
        "import json, pytest, sys\n"
        "code = pytest.main(sys.argv[1:])\n"
        "print(); print(json.dumps([int(code), sorted(sys.modules['auction_books'].READ)]))"
    )
    modules = [str(TESTS / f"{name}.py") for name in READERS]
    words = ["-q", "-p", "no:cacheprovider", "-k", "not unread", *modules]
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=TESTS,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    code, found = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout
    return set(map(tuple, found))


def test_no_answer_is_left_unread():
    stored = [answers(golden(path.stem), path.stem) for path in GOLDEN.glob("*.json")]
    assert len(stored) == 11
    assert set().union(*stored) - read() == set()


def test_the_cells_of_examples_1_to_4():
    example = golden("paper_examples")["example_1_to_4"]
    pieces = [len(staircase) for staircase in kpm.staircases(*book())]
    assert pieces == example["pieces"]
    assert math.prod(pieces) == example["cells"]


@pytest.fixture
def misprint():
    return golden("paper_examples")["misprint_9"]


def test_the_cell_of_the_misprinted_9(misprint):
    market, orders = market_of(MISPRINT), orders_of(MISPRINT)
    cell = kpm.solve_cell(market, orders, [0, 0, 2], tolerance=1e-12)
    found = math.exp(-cell.certainty_equivalent)
    assert found == pytest.approx(misprint["L_true"], rel=1e-12)


def test_what_9_says_as_it_is_printed(misprint):
    """The revenue is the smaller of two lines, by order; (9) has the smaller of their two sums."""
    limit, quantity = MISPRINT.price, MISPRINT.quantity
    filled = np.array([1.0, 1.0, 0.0])  # of the cell: fill, fill, none
    # At prices xi the first line is Q xi + b (x - Q), the second b x. Variables: xi, the revenue.
    by_limit = limit @ filled
    program = linprog(
        [0, 0, 0, -1],
        A_ub=[[*-quantity, 1.0]],
        b_ub=[limit @ (filled - quantity)],
        A_eq=[[1, 1, 1, 0]],
        b_eq=[1],
        bounds=[(0, 0.6), (0, 0.6), (0.01, 1), (None, by_limit)],
    )
    printed = rho((filled + program.fun).tolist(), MISPRINT.prior.tolist(), 1.0, MISPRINT.ambiguity)
    assert math.exp(printed.value) == pytest.approx(misprint["L_as_printed"], rel=1e-12)
    assert -program.fun == pytest.approx(1.2)  # of which traders would have to pay no more than .99
