"""Splink on the same records: ``splink_people.py tuned|tutorial FILE.parquet OUT.parquet``. Runs in an environment of its own (Splink 4 or 5).

``tuned``: IDs, names, villages tidied beforehand, sound of the name, birth date taken from a valid ID where the list has none; blocking and
levels made for these data. ``tutorial``: the columns as they are, comparisons and training as Splink's tutorial for people has them.
"""

import sys

import duckdb
import splink
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

SEED = 7
LEAST = {"tuned": 0.99, "tutorial": 0.999}  # the cut-offs that gave the best F1 on lists of 50,000
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SUM = " + ".join(f"{weight} * (ascii(id_no[{place}]) - 48)" for place, weight in enumerate(WEIGHTS, 1))
TIDY = f"""
WITH raw AS (SELECT row_number() OVER () - 1 AS unique_id, * FROM read_parquet('{{source}}')),
 plain AS (SELECT unique_id, nullif(regexp_replace(upper(id_no), '[^0-9X]', '', 'g'), '') AS id_no, regexp_replace(name, '[\\s　]', '', 'g') AS name,
  birth_date, regexp_replace(regexp_replace(village, '(村委会|村民委员会|行政村|村\\d+组)$', '村'), '([^村])$', '\\1村') AS village, phone, account_no FROM raw),
 summed AS (SELECT *, length(id_no) = 18 AND regexp_matches(id_no, '^[0-9]{{{{17}}}}') AND '10X98765432'[CAST(({SUM}) % 11 + 1 AS BIGINT)] = id_no[18] AS sound_id FROM plain)
SELECT unique_id, id_no, coalesce(sound_id, false) AS valid, name, coalesce(birth_date, CASE WHEN sound_id THEN id_no[7:10] || '-' || id_no[11:12] || '-' || id_no[13:14] END) AS birth_date,
 village, phone, account_no, name[1] AS surname, CASE WHEN length(id_no) >= 15 AND NOT coalesce(sound_id, false) THEN id_no[1:15] END AS prefix FROM summed
"""


def sounds(connection: duckdb.DuckDBPyConnection) -> None:
    """Table ``sounds``: name, sound."""
    import pyarrow as pa
    from pypinyin import lazy_pinyin

    names = [row[0] for row in connection.execute("SELECT DISTINCT name FROM people WHERE name IS NOT NULL").fetchall()]
    table = pa.table({"name": names, "sound": [" ".join(lazy_pinyin(name)) for name in names]})
    connection.register("sounds_", table)
    connection.execute(
        "CREATE OR REPLACE TABLE people AS SELECT p.*, s.sound FROM people p LEFT JOIN sounds_ s USING (name)"
    )


def exact(column: str, frequencies: bool = False) -> object:
    return cl.ExactMatch(column).configure(term_frequency_adjustments=frequencies)


def known(level: object, m: float, u: float) -> object:
    """A level whose probabilities are told: training cannot see them, as it happens among records with equal IDs or names."""
    return level.configure(m_probability=m, u_probability=u, fix_m_probability=True, fix_u_probability=True)


def tuned() -> tuple[SettingsCreator, list[str], list[object]]:
    identity = cl.CustomComparison(
        output_column_name="id_no",
        comparison_levels=[
            cll.NullLevel("id_no"),
            known(cll.ExactMatchLevel("id_no"), 0.93, 1e-6),
            known(cll.CustomLevel("valid_l AND valid_r"), 1e-4, 0.9),
            known(cll.DamerauLevenshteinLevel("id_no", 1), 0.035, 1e-7),
            known(cll.CustomLevel("id_no_l[1:15] = id_no_r[1:15]"), 0.015, 1e-6),
            known(cll.DamerauLevenshteinLevel("id_no", 2), 0.01, 1e-6),
            known(cll.ElseLevel(), 0.01, 0.1),
        ],
    )
    name = cl.CustomComparison(
        output_column_name="name",
        comparison_levels=[
            cll.NullLevel("name"),
            cll.ExactMatchLevel("name", term_frequency_adjustments=True),
            cll.ExactMatchLevel("sound", term_frequency_adjustments=True),
            cll.CustomLevel("levenshtein(name_l, name_r) = 1 AND length(name_l) >= 3"),
            cll.ExactMatchLevel("surname"),
            cll.ElseLevel(),
        ],
    )
    birth = cl.CustomComparison(
        output_column_name="birth_date",
        comparison_levels=[
            cll.NullLevel("birth_date"),
            cll.ExactMatchLevel("birth_date"),
            cll.DamerauLevenshteinLevel("birth_date", 1),
            cll.ElseLevel(),
        ],
    )
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[identity, name, birth, exact("village"), exact("phone"), exact("account_no")],
        blocking_rules_to_generate_predictions=[
            block_on("id_no"),
            block_on("sound", "birth_date"),
            block_on("sound", "village"),
            block_on("sound", "phone"),
            block_on("sound", "account_no"),
            block_on("birth_date", "village", "surname"),
            block_on("substr(id_no, 1, 15)"),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    return (
        settings,
        ["l.id_no = r.id_no", "l.name = r.name AND l.phone = r.phone AND l.village = r.village"],
        [
            block_on("id_no"),
            block_on("name", "phone"),
        ],
    )


def tutorial() -> tuple[SettingsCreator, list[str], list[object]]:
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.LevenshteinAtThresholds("id_no", [1, 2]),
            cl.JaroWinklerAtThresholds("name", [0.9, 0.7]).configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("birth_date", [1, 2]),
            exact("village", True),
            exact("phone"),
            exact("account_no"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("id_no"),
            block_on("name", "birth_date"),
            block_on("name", "village"),
            block_on("phone"),
            block_on("account_no"),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    return (
        settings,
        ["l.id_no = r.id_no", "l.name = r.name AND l.birth_date = r.birth_date"],
        [
            block_on("id_no"),
            block_on("name", "birth_date"),
        ],
    )


def main() -> None:
    mode, source, out = sys.argv[1:4]
    connection = duckdb.connect(":memory:")
    if mode == "tuned":
        connection.execute("CREATE TABLE people AS " + TIDY.format(source=source))
        sounds(connection)
        settings, certain, training = tuned()
    else:
        connection.execute(
            f"CREATE TABLE people AS SELECT row_number() OVER () - 1 AS unique_id, * FROM read_parquet('{source}')"
        )
        settings, certain, training = tutorial()
    api, people = DuckDBAPI(connection=connection), connection.table("people")
    if splink.__version__.startswith("4."):
        linker = Linker(people, settings, api)
    else:
        linker = Linker(api.register(people), settings)
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=SEED)
    for rule in training:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    least = LEAST[mode]
    pairs = linker.inference.predict(threshold_match_probability=least)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=least)
    name = clusters.physical_name
    connection.execute(
        f"COPY (SELECT p.unique_id AS row, coalesce(c.cluster_id, p.unique_id) AS person FROM people p LEFT JOIN {name} c USING (unique_id) ORDER BY row) TO '{out}' (FORMAT parquet)"
    )


if __name__ == "__main__":
    main()
