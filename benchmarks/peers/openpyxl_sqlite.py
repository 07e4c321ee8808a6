"""Peer: what is usually written by hand: openpyxl (read-only) into SQLite with executemany, nothing checked."""

import sqlite3
import sys

from openpyxl import load_workbook

sheet = load_workbook(sys.argv[1], read_only=True, data_only=True).worksheets[0]
rows = sheet.iter_rows(min_row=2, values_only=True)
header = next(rows)
database = sqlite3.connect(sys.argv[2])
database.execute(f"CREATE TABLE roll ({', '.join(f'c{i} TEXT' for i in range(len(header)))})")
database.executemany(f"INSERT INTO roll VALUES ({', '.join('?' * len(header))})", rows)
database.commit()
print(database.execute("SELECT count(*) FROM roll").fetchone()[0])
