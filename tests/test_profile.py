"""The profile: callgrind's output is read correctly, and every instruction is attributed."""

from __future__ import annotations

import pytest

from benchmarks.callgrind import Function, parse
from benchmarks.codemap import BINDINGS, OWN, PYTHON, CodeMap, shares

pytestmark = pytest.mark.unsanitized

CORE = "_core.cpython-311-x86_64-linux-gnu.so"
OUTPUT = f"""\
# callgrind format
version: 1
positions: line
events: Ir
summary: 1000

ob=(1) /usr/lib/libpython3.11.so.1.0
fl=(1) eval.c
fn=(1) _PyEval_EvalFrameDefault
10 100
+1 20
cob=(2) /somewhere/{CORE}
cfi=(2) ???
cfn=(2) (anonymous namespace)::clear(int)
calls=1 -3
* 800

ob=(2)
fl=(2)
fn=(2)
0 30
cfn=(3) kpm::RelaxationProgram::factor()
calls=2 0
0 700

fn=(3)
0 400
cfn=(4) Eigen::internal::gemv<double>::run(int)
calls=4 0
0 200
cob=(3) /lib/libc.so.6
cfn=(5) _int_malloc
calls=1 0
0 100

fn=(4)
0 190
cob=(3)
cfn=(5)
calls=1 0
0 10

ob=(3)
fn=(5)
0 110
fn=(6) _int_malloc'2
0 5
"""


def function(name: str, library: str = CORE) -> Function:
    return Function(name, library)


MALLOC = function("_int_malloc", "libc.so.6")
FACTOR = function("kpm::RelaxationProgram::factor()")
GEMV = function("Eigen::internal::gemv<double>::run(int)")
CLEAR = function("(anonymous namespace)::clear(int)")
EVAL = function("_PyEval_EvalFrameDefault", "libpython3.11.so.1.0")


def test_callgrind_output_is_read() -> None:
    counts = parse(OUTPUT)
    assert counts.own == {EVAL: 120, CLEAR: 30, FACTOR: 400, GEMV: 190, MALLOC: 115}
    assert counts.arcs == {
        (EVAL, CLEAR): 800,
        (CLEAR, FACTOR): 700,
        (FACTOR, GEMV): 200,
        (FACTOR, MALLOC): 100,
        (GEMV, MALLOC): 10,
    }


def test_library_work_is_charged_to_its_caller() -> None:
    found = shares(parse(OUTPUT), CodeMap())
    assert found[PYTHON] == {OWN: 120}
    assert found[BINDINGS] == {OWN: 30}
    assert found["search"] == {OWN: 400, "Eigen": 190, "allocation": 115}


def test_no_instruction_is_lost() -> None:
    counts = parse(OUTPUT)
    stray = function("mystery", "libstrange.so")
    counts.own[stray] += 7
    found = shares(counts, CodeMap())
    assert sum(kinds.total() for kinds in found.values()) == counts.total
    assert found["other"] == {"other": 7}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("kpm::RelaxationProgram::factor()", "search"),
        ("kpm::(anonymous namespace)::CellSearch::run()", "search"),
        ("kpm::tied_cells(std::vector<kpm::Node> const&)", "search"),
        ("kpm::BasicPriceSimplex<double>::pivot(int, int)", "prices"),
        ("kpm::RiskBlock::recover_step(Eigen::Array<double, -1, 1, 0, -1, 1> const&)", "ipm"),
        (
            "bool kpm::InformationProjection::newton<kpm::f()::{lambda(int)#1}>(double)",
            "prices",
        ),
        ("kpm::avx2::subtract_row(double, double const*, long, double*)", "numerics"),
        ("kpm::cholesky::solve_by_rows(kpm::cholesky::Parts const&, double*)", "numerics"),
        ("pybind11::cpp_function::dispatcher(_object*)", BINDINGS),
        ("void Eigen::internal::gemm<kpm::Corners>()", None),
        ("void std::__introsort_loop<kpm::Corners>(int)", None),
        ("operator new(unsigned long)", None),
    ],
)
def test_functions_have_a_part(name: str, part: str | None) -> None:
    assert CodeMap().part(function(name)) == part
