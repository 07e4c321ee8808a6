"""The Spark session: bounded, and plain words where it cannot be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jiuzhu_cli.compute.dialect import query_sql
from jiuzhu_cli.compute.spark import memory_for_spark, spark_session
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.matching import keys, second
from tests.spark import needs_spark


def test_without_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(UsageError, match="没有装 PySpark"), spark_session():
        pass


@needs_spark
def test_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 5, two Chinese lines, and nothing of Java's on the screen."""
    (tmp_path / "a.csv").write_text("姓名,身份证号\n张三,\n", "utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    command = [sys.executable, "-m", "jiuzhu_cli", "match", "a.csv", "--out", "o.csv", "--engine", "spark"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 5, done.stderr
    assert "没有找到能用的 Java" in done.stderr and "怎么办" in done.stderr and "Traceback" not in done.stderr
    assert not done.stdout and not (tmp_path / "o.csv").exists()


def test_memory_is_bounded() -> None:
    gigabyte = 1 << 30
    assert [memory_for_spark(n * gigabyte) for n in (1, 8, 16, 512)] == ["1g", "2g", "5g", "8g"]


@pytest.mark.parametrize("query", [keys.candidates_sql("probed"), second.SQL])
def test_candidates_have_a_counterpart(query: str) -> None:
    """Every function and join of the candidates is known to the translator, and no part is put in order for nothing."""
    assert "GROUP BY" in query_sql(query) and "ORDER BY" not in query_sql(query)
