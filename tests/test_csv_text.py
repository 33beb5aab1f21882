"""CSV files as others make them: decimal signs, archives, and errors for anything else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kpm_fast as kpm
from containers import zipped

numerals = st.decimals(0, 9999, places=3, allow_nan=False).map(lambda d: f"{d.normalize():f}")


@given(
    st.lists(st.tuples(numerals, numerals), min_size=1, max_size=4),
    st.sampled_from([".", ","]),
    st.booleans(),
)
def test_a_file_has_one_decimal_sign(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], sign: str, mixed: bool
) -> None:
    """All columns are read with it; where one has the other sign, nothing is guessed."""
    path = tmp_path_factory.getbasetemp() / "signs.csv"
    other = {".": ",", ",": "."}[sign] if mixed else sign
    lines = [f"a;buy;{p.replace('.', sign)};{q.replace('.', other)};x,y.z" for p, q in rows]
    path.write_text("claim;side;price;quantity;note\n" + "\n".join(lines))
    signs = {s for line in lines for entry in line.split(";")[2:4] for s in ",." if s in entry}
    if len(signs) > 1:
        with pytest.raises(kpm.InputError, match="has a point where column"):
            kpm.Orders.from_csv(path)
    else:
        orders = kpm.Orders.from_csv(path)
        assert orders.price.tolist() == [float(price) for price, _ in rows]
        assert orders.quantity.tolist() == [float(quantity) for _, quantity in rows]
        assert kpm.Orders.from_csv(path, decimal=signs.pop() if signs else None) == orders


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped(b"a", "b.csv"), "zip archive of 2 files"),
        (zipped(b"a", name="[Content_Types].xml"), "workbook"),
        (b"PAR1....", "Parquet"),
        (zipped(b"claim,side,price,quantity\n")[:40], "damaged zip archive"),
        (b"claim,price,quantity\na,1,-2\n", "or sell='negative quantity'"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1" + bytes(50), "a workbook, which is not read"),
        (
            b'claim,side,price,quantity\na,buy,"0,5",1\n',
            r"'0,5'; decimal=',' \(--decim.*reads 0\.5",
        ),
    ],
)
def test_errors_of_unreadable_files_say_what_to_do(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(data)
    with pytest.raises(kpm.InputError, match=message):
        kpm.Orders.from_csv(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-32-le", "utf-32-be"])
def test_wide_characters_are_read_with_their_mark_or_refused_as_such(
    tmp_path: Path, encoding: str
) -> None:
    """UTF-32 begins like UTF-16: it was read as that, as a table of other columns."""
    path = tmp_path / "orders.csv"
    path.write_bytes("claim,side,price,quantity\nhéim,buy,0.5,10\n".encode(encoding))
    if encoding.endswith("e"):
        with pytest.raises(kpm.InputError, match=r"begins with null characters.*encoding= or"):
            kpm.Orders.from_csv(path)
    else:
        assert kpm.Orders.from_csv(path).claim.tolist() == ["héim"]
    assert kpm.Orders.from_csv(path, encoding=encoding).claim.tolist() == ["héim"]


def test_macs_add_files_to_archives(tmp_path: Path) -> None:
    path = tmp_path / "orders.zip"
    path.write_bytes(zipped(b"claim,side,price,quantity\na,buy,0.5,1\n", "__MACOSX/._orders.csv"))
    assert len(kpm.Orders.from_csv(path)) == 1


def test_a_locked_archive_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(b"claim,side,price,quantity\n"))
    data[6] |= 1  # encrypted, say both headers
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path = tmp_path / "orders.zip"
    path.write_bytes(bytes(data))
    with pytest.raises(kpm.InputError, match=r"cannot be read: .*password"):
        kpm.Orders.from_csv(path)


def test_a_missing_side_is_missing() -> None:
    table = {"claim": ["a", "a"], "side": ["buy", None], "price": [0.5] * 2, "quantity": [1, 1]}
    with pytest.raises(kpm.InputError, match=r"side\[1\]: is missing, got None"):
        kpm.Orders.from_frame(table)
    with pytest.raises(kpm.InputError, match=r"the field comes first, \{'price': 'px'\}"):
        kpm.Orders.from_frame({"px": [1]}, columns={"px": "price"})
