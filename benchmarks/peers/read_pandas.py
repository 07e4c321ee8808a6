"""Peer: pandas reads the first sheet as text, with the engine named. ``read_pandas.py ENGINE FILE``."""

import sys

import pandas as pd

print(len(pd.read_excel(sys.argv[2], header=None, dtype=str, engine=sys.argv[1])))
