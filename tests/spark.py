"""Whether this machine can run Spark; tests that need it are skipped with the reason."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

_JAVA = shutil.which("java") or shutil.which("java", path=str(Path(os.environ.get("JAVA_HOME", "")) / "bin"))
_MISSING = "没有 Java（Debian：apt install default-jre-headless）" if not _JAVA else ""
_MISSING = _MISSING or ("" if importlib.util.find_spec("pyspark") else "没有装 pyspark")

needs_spark = pytest.mark.skipif(bool(_MISSING), reason=f"Spark 用不了：{_MISSING}")
