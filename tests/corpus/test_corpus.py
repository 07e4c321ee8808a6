"""Each workbook of the corpus through the real import: the record, the findings and the skipped rows as written beside it.

What must come of a case stands in ``expected/CHAPTER.toml`` under the case's name:

- a key ``programme area month`` (area 全区 where the list is of the district): the persons in the record, one string a case:
  ``"2 100 东风村"`` is person 2 with 100 元; ``"2 600: 3 4"`` a household of 2, 3, 4 led by 2; ``-`` no amount;
  ``phone=…`` a field of the record;
- ``status``: of each table found, ``imported`` when it is not given; ``refused``: how many rows of all tables;
- ``stated``: the total that each table states, 元 ('' none); not compared when it is not given;
- ``findings``: every error and warning as ``code`` or ``code C5`` (``code 甲村!C5`` on a sheet of several, ``code 5`` for
  a row); notices only where written;
- ``skipped``: rows passed over, as ``reason 3 5`` (or ``reason 甲村!3``), except blank ones; not compared when not given.
"""

from __future__ import annotations

import importlib
import shutil
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.intake.batch import Options, import_paths
from jiuzhu_cli.intake.find import find_tables
from jiuzhu_cli.intake.result import TableResult
from jiuzhu_cli.intake.table import Hints
from jiuzhu_cli.ledger.workspace import Workspace, find_workspace
from jiuzhu_cli.tabular.read import read_workbook
from tests.corpus.book import CASES, write
from tests.intake.lists import NOW, POLICY, TODAY, name
from tests.support import REGION, make_id, make_workspace

HERE = Path(__file__).parent
for module in sorted(HERE.glob("*_cases.py")):
    importlib.import_module(f"tests.corpus.{module.stem}")
EXPECTED = {
    title: expected
    for path in sorted((HERE / "expected").glob("*.toml"))
    for title, expected in tomllib.loads(path.read_text(encoding="utf-8")).items()
}
PLAIN = {"status", "refused", "stated", "findings", "skipped"}


@pytest.fixture(scope="session")
def blank_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("blank") / "ws").root


def test_every_case_says_what_must_come_of_it() -> None:
    assert set(CASES) == set(EXPECTED)
    assert len(CASES) >= 60


@pytest.mark.parametrize("title", sorted(CASES))
def test_case(title: str, tmp_path: Path, blank_workspace: Path) -> None:
    case, expected = CASES[title], EXPECTED[title]
    shutil.copytree(blank_workspace, tmp_path / "ws")
    workspace = find_workspace(tmp_path / "ws", explicit=True)
    paths = [write(tmp_path / "in", file) for file in case.files()]
    hints = Hints(**{key: value for key, value in case.options.items() if key in Hints.__dataclass_fields__})
    rest = {key: value for key, value in case.options.items() if key not in Hints.__dataclass_fields__}
    result = import_paths(workspace, POLICY, paths, Options(hints=hints, **rest), today=TODAY, now=NOW, actor="张经办")
    tables = [table for table in result.tables if table.status != "skipped"]
    found: dict[str, Any] = {
        "status": [table.status for table in tables],
        "refused": sum(table.refused for table in tables),
        **_record(workspace, expected),
        "findings": _findings(tables, expected),
    }
    wanted: dict[str, Any] = {
        "status": expected.get("status") or ["imported"] * len(tables),
        "refused": expected.get("refused", 0),
        **{key: sorted(lines) for key, lines in expected.items() if key not in PLAIN},
        "findings": sorted(expected.get("findings", [])),
    }
    if "stated" in expected:
        found["stated"] = ["" if t.stated_total_fen is None else yuan(t.stated_total_fen) for t in tables]
        wanted["stated"] = expected["stated"]
    if "skipped" in expected:
        found["skipped"], wanted["skipped"] = _skipped(paths, hints), sorted(expected["skipped"])
    assert found == wanted


def _record(workspace: Workspace, expected: dict[str, Any]) -> dict[str, list[str]]:
    """The live rows by list, each case in the notation of the expected ones."""
    numbers = {make_id(number): number for number in range(1, 120)}
    with workspace.open_store() as store:
        rows = store.query(
            "SELECT b.programme AS code, b.area AS place, b.month AS month_of, r.* FROM roll_row r JOIN batch b"
            " USING (batch_id) WHERE b.status = 'active' ORDER BY r.batch_id, r.row_id",
            (),
        )
        dicts = [dict(row) for row in rows]
    cases: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for row in dicts:
        assert row["name"] == name(numbers[row["id_no"]]) or f"name={row['name']}" in str(expected), row["name"]
        key = f"{row['code']} {row['place'] or '全区'} {row['month_of']}"
        cases.setdefault((key, row["batch_id"], row["case_no"]), []).append(row)
    out: dict[str, list[str]] = {}
    for (key, _, _), persons in cases.items():
        (lead,) = [row for row in persons if row["lead"]]
        example = next(iter(expected.get(key, [])), "")
        fen = lead["amount_fen"]
        words = [str(numbers[lead["id_no"]]), "-" if fen is None else yuan(fen).removesuffix(".00")]
        words += [lead["village"]] if _tells_village(example) else []
        words += ["=".join((field, str(lead[field]).replace(" ", ""))) for field in _fields(example)]
        members = sorted(numbers[row["id_no"]] for row in persons if not row["lead"])
        text = " ".join(words) + (": " + " ".join(map(str, members)) if members else "")
        out.setdefault(key, []).append(text)
    return {key: sorted(lines) for key, lines in out.items()}


def _tells_village(example: str) -> bool:
    words = example.partition(":")[0].split()
    return len(words) > 2 and "=" not in words[2]


def _fields(example: str) -> list[str]:
    return [word.partition("=")[0] for word in example.partition(":")[0].split() if "=" in word]


def _findings(tables: list[TableResult], expected: dict[str, Any]) -> list[str]:
    """Errors and warnings, and those notices that the case speaks of."""
    wanted = Counter(text.split()[0] for text in expected.get("findings", []))
    sheets = {(table.file, table.sheet) for table in tables}
    out = []
    for table in tables:
        for finding in table.findings:
            if finding.severity == "notice" and finding.code not in wanted:
                continue
            at = finding.source.cell() or (str(finding.source.row) if finding.source.row else "")
            place = f"{finding.source.sheet}!{at}" if len(sheets) > 1 and at else at
            out.append(f"{finding.code} {place}".strip())
    return sorted(out)


def _skipped(paths: list[Path], hints: Hints) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for path in paths:
        tables, _ = find_tables(
            read_workbook(path), POLICY, hints=hints, region=REGION, towns=(), today=TODAY, file_name=path.name
        )
        several = len({table.sheet for table in tables}) > 1
        for table in tables:
            for row, reason in table.skipped:
                if reason != "blank":
                    by_reason.setdefault(reason, []).append(f"{table.sheet}!{row + 1}" if several else str(row + 1))
    return sorted(f"{reason} {' '.join(dict.fromkeys(rows))}" for reason, rows in by_reason.items())
