"""Spark in the place of a DuckDB connection: the same statements over the same tables, held as data frames.

``SparkTables.execute`` takes DuckDB's SQL (``CREATE TABLE``, ``CREATE TABLE … AS``, ``CREATE MACRO``, ``INSERT … SELECT``, ``DELETE``, ``DROP``,
``ALTER TABLE … DROP COLUMN``, queries). A data frame never changes, so a table is a name that points at the latest one; what is inserted waits until the table is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sqlglot import exp

from jiuzhu_cli.compute.dialect import macro, parse_duckdb, spark_sql, spark_type

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


class Rows(Protocol):
    """What a query returns: all rows as tuples, or as an Arrow table."""

    def fetchall(self) -> list[Any]: ...


class Tables(Protocol):
    """What the checks need of a compute engine: a DuckDB connection has it, and ``SparkTables``."""

    def execute(self, query: str) -> Rows: ...
    def sql(self, query: str) -> Any: ...
    def register(self, view_name: str, python_object: Any) -> Any: ...
    def unregister(self, view_name: str) -> Any: ...


class SparkTables:
    """Tables of one session, named like DuckDB's. Not for several threads."""

    def __init__(self, session: SparkSession) -> None:
        self.session = session
        self._macros: dict[str, tuple[list[str], exp.Expression]] = {}
        self._schemas: dict[str, StructType] = {}
        self._frames: dict[str, DataFrame] = {}
        self._waiting: dict[str, list[DataFrame]] = {}
        self._result: DataFrame | None = None

    def execute(self, query: str) -> SparkTables:
        """Runs the statements of ``query``; the rows of the last one can be fetched."""
        self._result = None
        for tree in parse_duckdb(query):
            self._run(tree)
        return self

    def sql(self, query: str) -> SparkTables:
        """As ``execute``; DuckDB's rows go to Arrow without a copy this way."""
        return self.execute(query)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._result.collect()] if self._result is not None else []

    def to_arrow_table(self) -> pa.Table:
        """The rows of the last query as Arrow."""
        assert self._result is not None
        return self._result.toArrow()

    def register(self, view_name: str, python_object: pa.Table) -> SparkTables:
        """An Arrow table under a name."""
        self._frames[view_name] = self.session.createDataFrame(python_object)
        self._frames[view_name].createOrReplaceTempView(view_name)
        return self

    def load(self, name: str, rows: pa.Table) -> None:
        """An Arrow table as a table that later statements change."""
        self.table(name, self.session.createDataFrame(rows))

    def unregister(self, view_name: str) -> SparkTables:
        self._drop(view_name)
        return self

    def table(self, name: str, frame: DataFrame) -> None:
        """A data frame under a name, as it is."""
        self._frames[name], self._schemas[name] = frame, frame.schema
        frame.createOrReplaceTempView(name)

    def _run(self, tree: exp.Expression) -> None:
        if isinstance(tree, exp.Create):
            self._create(tree)
        elif isinstance(tree, exp.Insert):
            self._insert(tree)
        elif isinstance(tree, exp.Delete):
            self._delete(tree)
        elif isinstance(tree, exp.Alter) and all(isinstance(one, exp.Drop) for one in tree.args["actions"]):
            name, gone = (
                tree.this.name,
                [one.name for action in tree.args["actions"] for one in action.find_all(exp.Column)],
            )
            self.table(name, self._query(exp.select("*").from_(name)).drop(*gone))
        elif isinstance(tree, exp.Drop):
            self._drop(str(next(tree.find_all(exp.Table)).name))
        elif isinstance(tree, exp.Query):
            self._result = self._query(tree)
        else:
            raise NotImplementedError(f"not portable: {tree.key} {tree.sql(dialect='duckdb')[:200]}")

    def _create(self, tree: exp.Create) -> None:
        if tree.kind in ("MACRO", "FUNCTION"):
            name, parameters, body = macro(tree)
            self._macros[name] = (parameters, body)
            return
        if tree.args.get("exists") and tree.this.find(exp.Table).name in self._frames:
            return
        if isinstance(tree.this, exp.Schema):
            columns = ", ".join(
                f"`{c.name}` {spark_type(c.args['kind'])}"
                for c in tree.this.expressions
                if isinstance(c, exp.ColumnDef)
            )
            self.table(tree.this.this.name, self.session.createDataFrame([], columns))
            return
        self._keep(tree.this.name, self._query(tree.expression))

    def _keep(self, name: str, frame: DataFrame) -> None:
        """Computes the frame once, here: later statements read its rows and not its history."""
        self.table(name, frame.localCheckpoint(eager=True))

    def _insert(self, tree: exp.Insert) -> None:
        name = tree.this.find(exp.Table).name
        if isinstance(tree.this, exp.Schema):
            raise NotImplementedError(f"not portable: INSERT INTO {name} with a list of columns")
        query = tree.expression
        if tree.args.get("with_") is not None and query.args.get("with_") is None:
            query = query.copy()
            query.set("with_", tree.args["with_"])
        frame = self._typed(self._query(query), self._schemas[name])  # reading what waits for this very table first
        self._waiting.setdefault(name, []).append(frame)

    def _typed(self, frame: DataFrame, schema: StructType) -> DataFrame:
        from pyspark.sql.functions import col

        named = frame.toDF(*(f"c{n}" for n in range(len(frame.columns))))
        return named.select(*(col(f"c{n}").cast(one.dataType).alias(one.name) for n, one in enumerate(schema)))

    def _delete(self, tree: exp.Delete) -> None:
        table = tree.this
        kept = exp.select("*").from_(table.copy())
        where = tree.args.get("where")
        if where is not None:
            kept = kept.where(exp.Not(this=exp.Is(this=exp.paren(where.this.copy()), expression=exp.true())))
        else:
            kept = kept.where(exp.false())
        self._keep(table.name, self._query(kept))

    def _drop(self, name: str) -> None:
        self._frames.pop(name, None)
        self._schemas.pop(name, None)
        self._waiting.pop(name, None)
        self.session.catalog.dropTempView(name)

    def _query(self, tree: exp.Expression) -> DataFrame:
        for name in {table.name for table in tree.find_all(exp.Table)} & self._waiting.keys():
            frame = self._frames[name]
            for more in self._waiting.pop(name):
                frame = frame.unionAll(more)
            self._keep(name, frame)
        return self.session.sql(spark_sql(tree, self._macros))
