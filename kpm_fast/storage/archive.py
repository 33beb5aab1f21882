"""A clearing as one file: market, orders, result and certificate, for a later audit.

A zip archive of NumPy arrays and one JSON header, which ``numpy.load`` opens; docs/files.md lists
its entries. Data only: nothing in it is ever executed.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from .._version import __version__
from ..arrays import as_path, check_axes, exact_sum
from ..errors import InputError, brief
from ..files.array_file import read_array
from ..files.atomic_files import naming_errors, staged_binary
from ..files.input_file import open_input
from ..files.strict_json import NOT_FINITE, number, parse_json, stated_number, texts
from ..files.zip_writer import ZipWriter
from ..model.certificate import Certificate, DualCertificate
from ..model.maker import Maker
from ..model.maker_form import maker_from_dict, maker_to_dict
from ..model.maker_model import check_maker, maker_model
from ..model.market import Market, remember_prior_sum
from ..model.orders import Orders
from ..model.outcome import Outcome
from ..model.outcome_figures import NUMBERS, OUTCOME_ARRAYS
from ..model.rules import ALLOCATIONS, RULES
from ..model.stats import Stats
from ..model.status import Status
from ..model.words import message

__all__ = ["FORMAT", "HEADER", "VERSION", "read_outcome", "write_outcome"]

FORMAT = "kpm-fast clearing"
VERSION = 5  # of the format; a reader refuses what it does not know
_ZIPPED = b"PK"  # how every file of this format begins
# In 1 certificates merge no claims, and the scale counts idle orders, too. In 2 that of the convex
# rules does, and they may state no objective. From 4 on the header says how the clearing ended in
# words, from 5 on convex rules have certificates.
_READS = (1, 2, 3, 4, VERSION)

HEADER, _IDS = "header.json", "orders/order_id.json"
_TIMES = "orders/time.json"  # where doubles do not hold every digit
_EPOCH = (1980, 1, 1, 0, 0, 0)  # fixed, so that the same result gives the same bytes
_PREFERENCES = ("risk_aversion", "ambiguity")
#: Arrays by entry: type and axes (N states, K claims, J orders, L leaves, V priors).
_MARKET = {"payoffs": ("<f8", "KN"), "prior": ("<f8", "N"), "inventory": ("<f8", "N")}
_ORDERS = {
    "claim": ("<i8", "J"),
    "side": ("|i1", "J"),
    "price": ("<f8", "J"),
    "quantity": ("<f8", "J"),
}
_TIME = {"time": ("<f8", "J")}
_CERTIFICATE = {
    "first": ("<i8", "LK"),
    "last": ("<i8", "LK"),
    "worst_case": ("<f8", "LN"),
    "marginal_state_prices": ("<f8", "LN"),
    "multipliers": ("<f8", "LK"),
    "bound": ("<f8", "L"),
}
_DUAL = {"state_prices": ("<f8", "N"), "worst_case": ("<f8", "N"), "weights": ("<f8", "V")}
_MERGED = {"merged_into": ("<i8", "K")}
_Value = TypeVar("_Value")
_Outcome = TypeVar("_Outcome", bound=Outcome)


# -- writing ------------------------------------------------------------------------------------


def write_outcome(result: Outcome, path: str | os.PathLike[str]) -> None:
    """Write a result, its market, orders and certificate to one file.

    Parameters
    ----------
    result : Outcome
    path : path
        Used as given; the suffix ``.npz`` tells people that NumPy opens the file. The file
        appears complete or not at all, and its folder is made if need be.
    """
    market, orders, proof = result.market, result.orders, result.certificate
    labels, codes = _coded_claims(orders)
    spelled = orders.time if orders.time is not None and orders.time.dtype.kind == "O" else None
    columns = _ORDERS if orders.time is None or spelled is not None else {**_ORDERS, **_TIME}
    maker = _maker_text(market)
    market_columns = _MARKET if maker is None else {"payoffs": _MARKET["payoffs"]}
    proof_arrays = {**_MERGED, **_CERTIFICATE}
    if isinstance(proof, DualCertificate):
        proof_arrays = {key: _DUAL[key] for key in _DUAL if len(getattr(proof, key))}
    groups: list[tuple[str, object, dict[str, tuple[str, str]]]] = [
        ("market", market, market_columns),
        ("orders", orders, columns),
        ("result", result, OUTCOME_ARRAYS),
        *([("certificate", proof, proof_arrays)] if proof is not None else []),
    ]
    entries = [f"{group}/{name}.npy" for group, _, kinds in groups for name in kinds]
    entries += [_IDS] * orders.has_order_id + [_TIMES] * (spelled is not None)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "software": f"kpm-fast {__version__}",
        "entries": entries,
        "status": result.status.value,
        "message": message(result),
        "relative_gap": _number_text(result.gap / result.scale if result.scale > 0 else result.gap),
        "allocation": result.allocation,
        **{name: _number_text(getattr(result, name)) for name in NUMBERS},
        "stats": {item.name: _stat_text(getattr(result.stats, item.name)) for item in _STATS},
        **(
            {}
            if result.rule == RULES[0]
            else {"rule": result.rule, "objective": _number_text(result.objective)}
        ),
        **(
            {name: _number_text(getattr(market, name)) for name in _PREFERENCES}
            if maker is None
            else {"maker": maker}
        ),
        "claims": market.claims,
        "states": market.states,
        "order_claims": labels,
    }
    prior = maker_model(market).get("prior")
    if prior is not None and market.prior_sum != exact_sum(prior):
        header["prior_sum"] = _number_text(market.prior_sum)
    with (
        staged_binary(path) as stream,
        ZipWriter(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(_entry(HEADER), json.dumps(header, indent=1) + "\n")
        for group, source, kinds in groups:
            for name, (dtype, _) in kinds.items():
                array = codes if (group, name) == ("orders", "claim") else getattr(source, name)
                archive.write_array(_entry(f"{group}/{name}.npy"), np.asarray(array, dtype=dtype))
        if orders.has_order_id:
            archive.writestr(_entry(_IDS), json.dumps(list(orders.order_id)) + "\n")
        if spelled is not None:
            archive.writestr(_entry(_TIMES), json.dumps(list(spelled)) + "\n")


def _maker_text(market: Market) -> dict[str, Any] | None:
    """Return the maker as JSON can hold it, or None for the market's short form."""
    maker = vars(market).get("_maker")
    if maker is None:
        return None
    return {
        name: _number_text(value) if isinstance(value, float) else value
        for name, value in maker_to_dict(maker).items()
        if name != "labels"  # the market's
    }


def _read_maker(stated: Any) -> Maker:
    if not isinstance(stated, dict):
        raise InputError(f"must be an object with a kind and its parameters, got {brief(stated)}")
    return maker_from_dict(
        {
            name: float(value)
            if name != "kind" and isinstance(value, str) and value in NOT_FINITE
            else value
            for name, value in stated.items()
        }
    )


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _coded_claims(orders: Orders) -> tuple[list[str] | None, NDArray[np.int64]]:
    """Return the distinct labels of the orders' claims, or None, and the index of each order."""
    claim = orders.claim
    if claim.dtype.kind != "O":
        return None, claim
    position = {label: code for code, label in enumerate(dict.fromkeys(claim))}
    return list(position), np.array([position[label] for label in claim], dtype=np.int64)


def _number_text(value: float) -> float | str:
    """Return a value that JSON can hold and ``float`` reads back to the same bits."""
    return stated_number(float(value))


def _stat_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _number_text(number) for name, number in value.items()}
    return hex(value) if isinstance(value, int) else _number_text(value)


# -- reading ------------------------------------------------------------------------------------


def read_outcome(path: str | os.PathLike[str], kind: type[_Outcome]) -> tuple[_Outcome, int]:
    """Read what :func:`write_outcome` wrote, as the given class of outcomes; and its version.

    :func:`kpm_fast.load_result` says what is checked and what is raised.
    """
    stream = io.BytesIO(_content(as_path(path)))  # any error from here on is the file's fault
    try:
        with zipfile.ZipFile(stream) as archive:
            reader = _Reader(archive)
            return reader.outcome(kind), reader.version
    except InputError as error:
        raise error.located(path) from None
    except MemoryError:
        raise
    except Exception as error:  # damage can make zipfile raise almost anything
        raise InputError(f"is not a {FORMAT}, or is damaged: {error}", file=path) from error


def _content(path: Path) -> bytes:
    """Return a file of this format; of another, only the start is read."""
    with naming_errors(path), open_input(path) as file:
        start = file.read(len(_ZIPPED))
        if start != _ZIPPED:
            reason = f"is not a {FORMAT}, or is damaged: File is not a zip file"
            raise InputError(reason, file=path)
        return start + file.read()


class _Reader:
    """The entries of one file; what has been read is no longer listed in ``_left``."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = set(archive.namelist())
        self._sizes: dict[str, int] = {}
        header = self._json(HEADER)
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise InputError(f"is not the header of a {FORMAT}", field=HEADER)
        version = header.get("version")
        if type(version) is not int or version not in _READS:
            raise InputError(
                f"is {version!r}, and this release reads {', '.join(map(str, _READS))}",
                field="version",
            )
        self.version: int = version
        if header.get("entries") != archive.namelist()[1:]:
            raise InputError("differ from those that the header lists", field="entries")
        # The last two follow from the others: they are for readers without this package.
        known = {"format", "version", "software", "entries", "message", "relative_gap"}
        self._header = {name: header[name] for name in header.keys() - known}

    def outcome(self, kind: type[_Outcome]) -> _Outcome:
        market, orders = self._market(), self._orders()
        _located("orders", lambda: orders.claim_index(market))
        arrays = self._arrays("result", OUTCOME_ARRAYS)
        for name, array in arrays.items():
            if not np.isfinite(array).all():
                raise InputError("must be finite", field=f"result/{name}")
        numbers: dict[str, Any] = {name: self._number(name) for name in NUMBERS}
        # Beside the certainty equivalent: the rules that are stated have one.
        if "rule" in self._header and (self.version > 2 or "objective" in self._header):
            numbers["_objective"] = self._number("objective")
        proof: Certificate | DualCertificate | None = None
        kept = {key: _DUAL[key] for key in _DUAL if f"certificate/{key}.npy" in self._left}
        if self.version > 4 and "state_prices" in kept:
            dual = self._arrays("certificate", kept)
            proof = _located("certificate", lambda: DualCertificate(**dual))
        elif any(name.startswith("certificate/") for name in self._left):
            kinds = _CERTIFICATE if self.version == 1 else {**_MERGED, **_CERTIFICATE}
            certificate = self._arrays("certificate", kinds)
            proof = _located("certificate", lambda: Certificate(**certificate))
        if not 0 < numbers["tolerance"] < 1:
            raise InputError(
                f"must be between 0 and 1, got {numbers['tolerance']}", field="tolerance"
            )
        result = kind(
            status=Status(self._choice("status", [str(status) for status in Status])),
            allocation=self._choice("allocation", ALLOCATIONS),
            market=market,
            orders=orders,
            stats=self._stats(),
            certificate=proof,
            rule=self._rule(market),
            **numbers,
            **arrays,
        )
        stated = numbers.get("_objective")
        if stated is not None and stated != result.objective:  # it follows from the others
            raise InputError(f"must be {result.objective}, got {stated}", field="objective")
        for name in (*sorted(self._left), *sorted(self._header)):
            raise InputError("is unknown to this version of the format", field=name)
        return result

    def _rule(self, market: Market) -> str:
        """Return the rule, one that the maker has, whose figures the checks can recompute."""
        rule = self._choice("rule", RULES) if "rule" in self._header else RULES[0]
        check_maker(rule, market)
        return rule

    def _market(self) -> Market:
        claims, states = self._labels("claims"), self._labels("states")
        self._sizes |= {"K": len(claims), "N": len(states)}
        labels: dict[str, Any] = {"claims": claims, "states": states}
        if "maker" in self._header:
            arrays = self._arrays("market", {"payoffs": _MARKET["payoffs"]})
            stated = self._take("maker")
            maker = _located("maker", lambda: _read_maker(stated))
            if "prior_sum" in self._header and "_prior_sum" in vars(maker):
                maker = maker._of_prior_sum(self._number("prior_sum"))
            labels["maker"] = maker
            return _located("market", lambda: Market(**arrays, **labels))
        arrays = self._arrays("market", _MARKET)
        for name in _PREFERENCES:
            labels[name] = self._number(name)
        market = _located("market", lambda: Market(**arrays, **labels))
        if "prior_sum" in self._header:
            remember_prior_sum(market, self._number("prior_sum"))
        return market

    def _orders(self) -> Orders:
        timed = "orders/time.npy" in self._left
        columns = self._arrays("orders", {**_ORDERS, **(_TIME if timed else {})})
        if self._header.get("order_claims") is None:
            self._take("order_claims")
        else:
            labels, codes = self._labels("order_claims"), columns["claim"]
            wrong = np.flatnonzero((codes < 0) | (codes >= len(labels)))
            if wrong.size:
                raise InputError(
                    f"must be a position in order_claims, which has {len(labels)}, "
                    f"got {codes[wrong[0]]}",
                    field="orders/claim",
                    index=int(wrong[0]),
                )
            columns["claim"] = np.array(labels, dtype=object)[codes]
        if _IDS in self._left:
            columns["order_id"] = texts(self._json(_IDS), _IDS)
        if _TIMES in self._left and not timed:
            columns["time"] = texts(self._json(_TIMES), _TIMES)
        return _located("orders", lambda: Orders(**columns))

    def _stats(self) -> Stats:
        given = self._take("stats")
        names = {item.name for item in _STATS}
        if not isinstance(given, dict) or set(given) != names:
            raise InputError(
                f"must hold {', '.join(sorted(names))}, got {brief(given)}", field="stats"
            )
        return Stats(**{name: _stat(value, name) for name, value in given.items()})

    # -- entries ------------------------------------------------------------------------

    def _arrays(self, group: str, kinds: dict[str, tuple[str, str]]) -> dict[str, Any]:
        return {name: self._array(f"{group}/{name}", *kind) for name, kind in kinds.items()}

    def _array(self, name: str, dtype: str, axes: str) -> NDArray[Any]:
        """Read an array of a given type; the first array with an axis sets its length."""

        def parse() -> NDArray[Any]:
            with self._archive.open(f"{name}.npy") as entry:
                return read_array(entry, name)

        array = self._entry(f"{name}.npy", name, parse)
        if array.dtype.str != dtype:
            raise InputError(f"must be {dtype}, got {array.dtype.str}", field=name)
        check_axes(array, axes, self._sizes, name)
        native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
        native.flags.writeable = False
        return native

    def _json(self, name: str) -> Any:
        def parse() -> Any:
            return parse_json(self._archive.read(name).decode("utf-8"))

        return self._entry(name, name, parse)

    def _entry(self, entry: str, field: str, parse: Callable[[], _Value]) -> _Value:
        if entry not in self._left:
            raise InputError("is missing", field=field)
        self._left.discard(entry)
        try:
            return parse()
        except (InputError, MemoryError):
            raise
        except Exception as error:  # NumPy, json and zlib raise more than ValueError: SyntaxError
            if isinstance(error, zlib.error) and str(error).startswith("Error -4 "):  # Z_MEM_ERROR
                raise MemoryError from error
            raise InputError(f"cannot be read: {error}", field=field) from error

    # -- the header ---------------------------------------------------------------------

    def _take(self, name: str) -> Any:
        if name not in self._header:
            raise InputError("is missing", field=name)
        return self._header.pop(name)

    def _number(self, name: str) -> float:
        return number(self._take(name), name)

    def _labels(self, name: str) -> list[str]:
        return texts(self._take(name), name)

    def _choice(self, name: str, choices: Any) -> str:
        value = self._take(name)
        if value not in choices:
            raise InputError(f"must be one of {', '.join(choices)}, got {brief(value)}", field=name)
        return str(value)


_STATS = fields(Stats)


def _stat(value: Any, name: str) -> Any:
    """Read a count (hexadecimal text, of any length), a number or numbers by name."""
    kind, field = get_type_hints(Stats)[name], f"stats.{name}"
    if kind is float:
        return number(value, field)
    if kind is int and isinstance(value, str):
        try:
            return int(value, 16)
        except ValueError:
            pass
    if kind not in (int, float) and isinstance(value, dict):
        return {key: number(entry, f"{field}.{key}") for key, entry in value.items()}
    expected = "a hexadecimal count" if kind is int else "an object of numbers"
    raise InputError(f"must be {expected}, got {brief(value)}", field=field)


def _located(group: str, build: Callable[[], _Value]) -> _Value:
    """Say which part of the file an error is about."""
    try:
        return build()
    except InputError as error:
        name = f"{group}/{error.field}" if error.field else group
        raise InputError(error.reason, field=name, index=error.index) from None
