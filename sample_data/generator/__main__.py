"""Command line of the generator: a folder of workbooks and its truth, from a seed."""

from __future__ import annotations

import argparse
from pathlib import Path

from generator.folder import write_folder
from generator.scenario import make_scenario
from generator.standards import known_programmes, standards_for


def main() -> None:
    parser = argparse.ArgumentParser(prog="generator", description=__doc__)
    parser.add_argument("target", type=Path, help="folder to write: inbox/ and truth.json")
    parser.add_argument("--region", default="421002", help="six-digit region code (default 421002)")
    parser.add_argument("--persons", type=int, default=1000)
    parser.add_argument("--towns", type=int, default=9)
    parser.add_argument("--month", default="2026-10")
    parser.add_argument("--seed", type=int, default=20261001)
    parser.add_argument("--each", type=int, default=2, help="how many of every planted fact")
    parser.add_argument("--damaged", type=int, default=2, help="how many of every kind of damaged cell")
    parser.add_argument("--random-habits", action="store_true", help="random mixtures instead of the catalogue")
    options = parser.parse_args()
    standards = standards_for(options.region, options.month)
    scenario = make_scenario(
        options.region,
        standards,
        persons=options.persons,
        month=options.month,
        seed=options.seed,
        towns=options.towns,
        each=options.each,
        programmes=known_programmes(options.region),
    )
    write_folder(scenario, options.target, catalogue=not options.random_habits, damaged_each=options.damaged)


if __name__ == "__main__":
    main()
