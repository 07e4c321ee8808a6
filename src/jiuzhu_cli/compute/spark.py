"""A Spark session for one machine: loopback only, silent, bounded, and gone afterwards with all that it wrote.

PySpark is the extra ``[spark]``; it needs Java 17 or later. On a cluster the same session settings are overridden by ``master``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOOPBACK = "127.0.0.1"
_GIGABYTE = 1 << 30


def memory_for_spark(total: int | None = None) -> str:
    """A third of the machine's memory (``total`` bytes), one to eight gigabytes, as Spark writes it."""
    if total is None:
        with suppress(ValueError, OSError, AttributeError):
            total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{min(max((total or 0) // 3 // _GIGABYTE, 1), 8)}g"


@contextmanager
def spark_session(*, partitions: int = 0, memory: str = "", master: str = "local[*]") -> Iterator[SparkSession]:
    """Yields a session; ``partitions`` of a shuffle (default: twice the processors), ``memory`` of the JVM ('2g').

    UsageError without PySpark; OutsideError when Java is missing, too old, or ends under way. Nothing goes to stdout or stderr:
    what Java says lands in a private folder that is removed at the end, together with everything Spark spilled there.
    """
    try:
        from py4j.protocol import Py4JNetworkError
        from pyspark import SparkContext
        from pyspark.errors import PySparkRuntimeError
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError(
            "没有装 PySpark，用不了 --engine spark", "pip install 'jiuzhu-cli[spark]'，或去掉 --engine（本机 DuckDB）"
        ) from error
    home = Path(tempfile.mkdtemp(prefix="jiuzhu-spark-"))  # 0700
    context = None
    try:
        conf = _settings(home, partitions or 2 * (os.cpu_count() or 1), memory or memory_for_spark(), master)
        with (home / "java.log").open("wb") as log:
            try:
                gateway = launch_gateway(conf, popen_kwargs={"stdout": log, "stderr": log})
                context = SparkContext(gateway=gateway, conf=conf)
            except (PySparkRuntimeError, FileNotFoundError, PermissionError) as error:
                raise OutsideError(*_why_not(home / "java.log")) from error
        context.pythonExec = sys.executable  # workers must see our packages
        try:
            session = SparkSession(context)
            yield session
        except Py4JNetworkError as error:
            raise OutsideError("Spark 中途退出，多半是内存不够", "关掉别的程序再试，或把名单分成几份") from error
    finally:
        if context is not None:
            with suppress(Exception):
                context.stop()
            _end(context)
        shutil.rmtree(home, ignore_errors=True)


def _end(context: object) -> None:
    """Ends the JVM, so that the next session in this process starts with its own settings."""
    from pyspark import SparkContext

    gateway = getattr(context, "_gateway", None)
    with suppress(Exception):
        gateway.shutdown()  # type: ignore[union-attr]
    with suppress(Exception):
        gateway.proc.stdin.close()  # type: ignore[union-attr]
        gateway.proc.wait(20)  # type: ignore[union-attr]
    SparkContext._gateway = SparkContext._jvm = None


def _settings(home: Path, partitions: int, memory: str, master: str):  # type: ignore[no-untyped-def]
    from pyspark import SparkConf

    quiet = home / "log4j2.properties"
    quiet.write_text("rootLogger.level = off\n", "ascii")
    java = f"-Dlog4j2.configurationFile={quiet.as_uri()} -Djava.io.tmpdir={home} -Dfile.encoding=UTF-8 -Djava.net.preferIPv4Stack=true"
    conf = SparkConf(loadDefaults=False)
    for name, value in {
        "spark.master": master,
        "spark.app.name": "jiuzhu",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": _LOOPBACK,
        "spark.driver.host": _LOOPBACK,
        "spark.authenticate": "true",  # ports on loopback are open to whoever else works on this machine
        "spark.driver.memory": memory,
        "spark.driver.maxResultSize": "0",
        "spark.driver.extraJavaOptions": java,
        "spark.local.dir": str(home),
        "spark.sql.warehouse.dir": str(home / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.codegen.cache.maxEntries": "500",
    }.items():
        conf.set(name, value)
    return conf


def _why_not(log: Path) -> tuple[str, str]:
    said = log.read_text("utf-8", "replace") if log.exists() else ""
    if "UnsupportedClassVersionError" in said or "Unrecognized option" in said:
        return "Java 太旧，Spark 起不来", "装 Java 17 或更高（Debian/Ubuntu：apt install default-jre-headless）"
    if "Could not reserve enough space" in said or "Cannot allocate memory" in said:
        return "内存不够，Spark 起不来", "关掉别的程序再试，或去掉 --engine（本机 DuckDB）"
    return (
        "没有找到能用的 Java，Spark 起不来",
        "装 Java 17 或更高（Debian/Ubuntu：apt install default-jre-headless），或去掉 --engine（本机 DuckDB）",
    )
