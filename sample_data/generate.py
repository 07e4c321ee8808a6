"""Runs the generator without setting a path: ``python sample_data/generate.py out --seed 7``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from generator.__main__ import main

main()
