"""A stream of changing small books through Python: clearings a second, and latency.

The books follow each other as those of a race card do: a quarter of the orders is replaced from one
to the next. A clearing counts all that a service does for it: ``Orders`` from arrays, validated,
then ``clear`` on one thread. ``clear`` releases the GIL, so a pool of threads clears several books
at a time; only the Python around the core does not run in parallel.

Latency is measured in an open loop: arrivals are Poisson, at a fraction of the capacity measured
before, and a request's latency counts from its scheduled arrival, so that the queue behind a slow
answer counts too (no coordinated omission). One server, first come first served.
"""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

import kpm_fast as kpm
from kpm_fast import sample
from kpm_fast.plots.style import PALE, SERIES, house_style, new_figure

from . import books
from .arrivals import latencies, poisson
from .distribution import percentiles
from .rounds import cores_busy
from .section import Section, time_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Throughput and latency"
THREADS = (1, 2, 4)
LOADS = (0.3, 0.5, 0.7, 0.9)  # of the capacity
REPLACED = 0.25  # of the orders, from one book to the next
BOOKS = 512  # different ones
_POINTS = 200  # of the curves of latency

Task = Callable[[], kpm.Result]


def changing_books(count: int, seed: int = 7) -> list[books.Book]:
    """A race card of six runners whose orders change, under one maker of stake 1.

    Each book keeps three quarters of the orders of the one before; the others get a limit within
    a few hundredths of their first one and a new quantity.
    """
    generator = np.random.default_rng(seed)
    market, first = books.with_stake(
        sample.race_card(runners=6, levels=3, seed=seed, crossed=0.5, opinion=1.5, ambiguity=0.05),
        1.0,
    )
    claim, size = first.claim_index(market), len(first)
    price, quantity = first.price.copy(), first.quantity.copy()
    found = []
    for _ in range(count):
        rows = generator.random(size) < REPLACED
        factor = np.exp(0.04 * generator.standard_normal(size))
        price = np.where(rows, (first.price * factor).clip(1e-3, 0.999).round(4), price)
        quantity = np.where(rows, (first.quantity * factor**10).round(2), quantity)
        found.append((market, kpm.Orders(claim, first.side, price, quantity)))
    return found


def tasks_of(stream: Sequence[books.Book]) -> list[Task]:
    """The work of a service for each book: arrays in, result out."""

    def clearing(market: kpm.Market, orders: kpm.Orders) -> Task:
        columns = (orders.claim_index(market), orders.side, orders.price, orders.quantity)
        return lambda: kpm.clear(market, kpm.Orders(*columns), threads=1)

    return [clearing(*book) for book in stream]


def _examined(part: Section, tasks: Sequence[Task]) -> list[Task]:
    """The tasks whose answers pass their verification; the section says how many do not."""
    fine = []
    for task in tasks:
        result = task()
        if result.status is kpm.Status.OPTIMAL and result.verify().passed:
            fine.append(task)
    part.aim(
        "every book proved and verified; no other counts",
        f"{len(fine)} of {len(tasks)}",
        len(fine) == len(tasks),
        "The others are left out: what they take means nothing.",
    )
    return fine


def run_all(tasks: Sequence[Task], pool: ThreadPoolExecutor, threads: int) -> None:
    """Run all tasks on a pool of threads."""
    deals = [tasks[first::threads] for first in range(threads)]
    list(pool.map(lambda deal: [task() for task in deal], deals))


def stream(quick: bool) -> Section:
    """Clearings a second from one, two and four threads."""
    part = Section("Clearings a second, from a pool of threads")
    tasks = _examined(part, tasks_of(changing_books(128 if quick else BOOKS)))
    rounds = 2 if quick else 15
    seconds: dict[int, list[float]] = {threads: [] for threads in THREADS}
    pools = {threads: ThreadPoolExecutor(threads) for threads in THREADS}
    try:
        for turn in range(rounds + 1):  # the first one warms up
            for threads in THREADS:
                gc.collect()
                start = time.perf_counter()
                run_all(tasks, pools[threads], threads)
                if turn:
                    seconds[threads].append(time.perf_counter() - start)
        for threads in THREADS:
            busy = cores_busy(functools.partial(run_all, tasks, pools[threads], threads))
            ratio = float(np.median(np.divide(seconds[1], seconds[threads])))
            rate = len(tasks) / float(np.median(seconds[threads]))
            row = {"threads": threads, "faster times": ratio, "clearings a second": round(rate)}
            part.rows.append(row | {"cores busy": busy})
            part.quote(f"throughput.{threads}", f"{rate:,.0f}")
            part.quote(f"throughput.{threads}.scaling", f"{ratio:.2f}")
    finally:
        for pool in pools.values():
            pool.shutdown()
    start = time.perf_counter()
    results = [task() for task in tasks]
    core = sum(result.stats.seconds["total"] for result in results)
    share = core / (time.perf_counter() - start)
    part.notes.append(
        f"{len(tasks)} different books of {len(results[0].orders)} orders on "
        f"{results[0].market.payoffs.shape[0]} claims, {rounds} interleaved rounds, medians. "
        f"One thread spends {share:.0%} of its time in the core, without the GIL. Cores busy: "
        "processor time over wall time; below 1 for one thread, others use the machine."
    )
    return part


def latency(quick: bool) -> Section:
    """Latency under Poisson arrivals, by load."""
    part = Section("Latency under open-loop arrivals, one thread")
    tasks = _examined(part, tasks_of(changing_books(128 if quick else BOOKS)))
    capacity = _capacity(tasks)
    curves = []
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()  # results hold no cycles; a service would do the same
    try:
        for number, load in enumerate(LOADS):
            rate = load * capacity
            count = int(min(1000 if quick else 40_000, rate * (0.7 if quick else 12.0)))
            found = latencies(poisson(count, rate, seed=number), tasks)
            columns = percentiles(found)
            row = {"load share": load, "arrivals a second": round(rate), "arrivals": count}
            row["p50 time"] = columns.pop("p50 time")
            row["p90 time"] = float(np.percentile(found, 90))
            part.rows.append(row | columns)
            ranks = 1 - np.logspace(0, -np.log10(count), _POINTS)
            curves.append({"load": load, "latency": np.quantile(found, ranks).tolist()})
            curves[-1]["slower"] = (1 - ranks).tolist()
    finally:
        if collecting:
            gc.enable()
    part.quote("latency.p50", time_text(part.rows[1]["p50 time"]))
    part.quote("latency.p99", time_text(part.rows[1]["p99 time"]))
    part.quote("latency.load", f"{LOADS[1]:.0%}")
    part.notes.append(
        f"Load: share of the capacity measured before, {capacity:,.0f} clearings a second on one "
        "thread. Latency from the scheduled arrival to the answer. No garbage is collected "
        "meanwhile."
    )
    part.draw(
        draw_latency,
        "latency",
        "Share of the requests that take longer, by load: Poisson arrivals, latency from the "
        "scheduled arrival.",
        curves,
    )
    return part


def _capacity(tasks: Sequence[Task], rounds: int = 5) -> float:
    """Clearings a second of one thread that never waits: the median of some rounds."""
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        for task in tasks:
            task()
        rates.append(len(tasks) / (time.perf_counter() - start))
    return float(np.median(rates))


def draw_latency(data: Any) -> Figure:
    """The complementary distribution of latency, a line for each load, both axes logarithmic."""
    with house_style():
        figure, (axes,) = new_figure(8.2, 4.2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for colour, curve in zip(SERIES, data, strict=False):
            axes.plot(curve["latency"], curve["slower"], color=colour, label=f"{curve['load']:.0%}")
        for share in (0.5, 0.1, 0.01, 0.001):
            axes.axhline(share, color=PALE, linewidth=0.8, zorder=0)
        axes.set_yticks([0.5, 0.1, 0.01, 0.001], ["p50", "p90", "p99", "p99.9"])
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(lambda value, _: time_text(value))
        axes.set_ylim(min(min(curve["slower"]) for curve in data), 1.0)
        axes.set_xlabel("latency from the scheduled arrival")
        axes.set_title("Latency under open-loop arrivals: share of requests that take longer")
        axes.legend(title="load, of the capacity", frameon=False)
    return figure


SECTIONS = {"stream": stream, "latency": latency}
