"""The rules of the house: who may import whom, what stands only where, what may not be read. Told from the sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "jiuzhu_cli"
STAGES = {"intake", "dedupe", "review", "posting", "payment", "notice", "report", "registers"}
BELOW = {
    "core": set(),
    "policy": {"core"},
    "tabular": {"core"},
    "ledger": {"core"},
    "compute": {"core"},
    "matching": {"core", "policy", "compute"},
}
STAGE_MAY = {"core", "policy", "tabular", "ledger", "compute", "matching"}
ONLY_IN = {
    "typer": {"cli"},
    "tabulate": {"cli"},
    "rich": {"cli"},
    "click": {"cli"},
    "openpyxl": {"tabular"},
    "python_calamine": {"tabular"},
    "xlsxwriter": {"tabular"},
    "xlwt": {"tabular"},
    "jinja2": {"posting", "notice"},
    "docx": {"posting", "notice"},
    "docxtpl": {"posting", "notice"},
    "sqlite3": {"ledger", "cli"},
    "pyspark": {"compute", "matching"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_keeps_to_its_room(path: Path) -> None:
    own = room(path)
    used = imports(path)
    ours = {name.split(".")[1] for name in used if name.startswith("jiuzhu_cli.")} - {own, "__version__"}
    if own in BELOW:
        assert ours <= BELOW[own], f"{own} imports {ours - BELOW[own]}"
    elif own in STAGES:
        assert ours <= STAGE_MAY, f"stage {own} imports {ours - STAGE_MAY}"
    for library in {name.split(".")[0] for name in used} & ONLY_IN.keys():
        assert own in ONLY_IN[library], f"{library} in {own}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if room(p) not in {"cli", "__main__"}], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_module_is_silent_and_blind(path: Path) -> None:
    """No print, no exit, no clock, no environment outside cli."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"print", "exit", "sys.exit", "quit", "date.today", "datetime.today", "os.getenv"}, (
                f"{called} line {node.lineno}"
            )
            if called in {"datetime.now", "datetime.utcnow"}:
                assert path.name == "store.py" and room(path) == "ledger", f"clock read, line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in {"os.environ", "sys.stdout", "sys.stderr", "sys.argv"}, (
                f"line {node.lineno}"
            )


@pytest.mark.parametrize(
    "path", [p for p in MODULES if room(p) in STAGES | {"cli", "workflow"}], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_sql_of_the_store_stays_in_the_ledger(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert ast.unparse(node.func) not in {
                "tx.execute",
                "tx.executemany",
                "store.query",
                "store.arrow",
                "store.connection.execute",
            }, f"line {node.lineno}"


def test_modules_are_small_rooms() -> None:
    crowded = {str(p.relative_to(PACKAGE)): n for p in MODULES if (n := len(p.read_text("utf-8").splitlines())) > 450}
    assert not crowded
