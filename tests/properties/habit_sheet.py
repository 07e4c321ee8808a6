"""One sheet of a known list in its habits: titles, header, pages, sums, merges, what stands below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import capitals
from tests.properties.habit_writer import BANDS, Line, _Sheet, letters, titles

if TYPE_CHECKING:
    from tests.properties.habit_writer import Writer

MONGOLIAN = ("ᠳ᠋ᠤᠭᠠᠷ", "ᠨᠡᠷ᠎ᠡ", "ᠦᠨᠡᠮᠯᠡᠯ", "ᠮᠥᠩᠭᠦ", "ᠳᠠᠩᠰᠠ")


class SheetWriter:
    """Writes the cases ``first`` to ``stop`` on one sheet."""

    def __init__(self, writer: Writer, name: str, first: int, stop: int) -> None:
        self.writer, self.plan = writer, writer.plan
        self.first, self.stop = first, stop
        self.sheet = _Sheet(name)
        above, left = self.plan["pad"]
        self.sheet.rows += [[] for _ in range(above)]
        keys, gap = writer.keys, self.plan["gap"]
        middle = len(keys) // 2
        self.columns = {key: left + at + (gap if at >= middle else 0) for at, key in enumerate(keys)}
        self.width = left + len(keys) + gap
        self.row_of: dict[tuple[int, int], int] = {}

    def write(self) -> _Sheet:
        if self.plan["place"] == "tables":
            for village in dict.fromkeys(home.village for home in self.writer.homes):
                cases = [case for case, home in enumerate(self.writer.homes) if home.village == village]
                self._table(cases[0], cases[-1] + 1, village)
                self.sheet.rows.append([])
        else:
            self._table(self.first, self.stop, "")
        return self.sheet

    def _table(self, first: int, stop: int, village: str) -> None:
        """One table with its titles; of a village where each has its own."""
        self.first, self.stop, self.row_of, self._started = first, stop, {}, len(self.sheet.rows)
        self.village = village
        self._titles()
        lines = self.writer.lines(self.first, self.stop)
        if self.plan["panels"] > 1 and len(lines) > 1:
            self._panels(lines)
            return
        self._header()
        if self.plan["sums"] == "above":
            self._sum("合计", self.writer.readable(self.first, self.stop))
        self._body(lines)
        self._below()
        self._merge_homes()
        if self.plan["hidden"] and self.row_of:
            self.sheet.hidden.append(max(self.row_of.values()) + 1)
        if self.plan["margin"] and self.row_of:
            row = min(self.row_of.values())
            self.sheet.rows[row] = [*self.sheet.rows[row], None, "已核"]
        self.writer.expect(self.row_of, self.columns)

    def _titles(self) -> None:
        title = self.writer.title
        for row in titles(self.writer):
            self.sheet.rows.append(
                [f"{text}（{self.village}）" if self.village and text == title else text for text in row]
            )
        if self.village and self.plan["says"] == "file":
            self.sheet.rows.append([f"{title}（{self.village}）"])

    # ---- header ---------------------------------------------------------------------------------------------------------

    def _put(self, values: dict[int, Any]) -> int:
        row = [None] * self.width
        for column, value in values.items():
            row[column] = value
        self.sheet.rows.append(row)
        return len(self.sheet.rows) - 1

    def _header(self) -> None:
        words = {column: self.writer.header(key) for key, column in self.columns.items()}
        head = self.plan["head"]
        groups = self._groups() if head == "bands" else []
        if groups:
            inside = {column for _, columns in groups for column in columns}
            bands = {columns[0]: band for band, columns in groups}
            top = self._put({**{c: w for c, w in words.items() if c not in inside}, **bands})
            self._put({column: word for column, word in words.items() if column in inside})
            self.sheet.merges += [f"{letters(c[0])}{top + 1}:{letters(c[-1])}{top + 1}" for _, c in groups]
            self.sheet.merges += [f"{letters(c)}{top + 1}:{letters(c)}{top + 2}" for c in words if c not in inside]
            return
        top = self._put(words)
        if head == "tall":
            self._put({})
            self.sheet.merges += [f"{letters(column)}{top + 1}:{letters(column)}{top + 2}" for column in words]
        elif head == "ordinal":
            self._put({column: str(number) for number, column in enumerate(sorted(words), 1)})
        elif head == "units":
            self._put({self.columns["amount"]: "（元）"})
        elif head == "translated":
            self._put({column: MONGOLIAN[at % len(MONGOLIAN)] for at, column in enumerate(sorted(words))})

    def _groups(self) -> list[tuple[str, list[int]]]:
        """Bands over columns of one kind that stand side by side."""
        kind = {key: band for band, keys in BANDS.items() for key in keys}
        out: list[tuple[str, list[int]]] = []
        for key, column in sorted(self.columns.items(), key=lambda pair: pair[1]):
            band = kind.get(key)
            if band and out and out[-1][0] == band and out[-1][1][-1] == column - 1:
                out[-1][1].append(column)
            elif band:
                out.append((band, [column]))
        return [(band, columns) for band, columns in out if len(columns) > 1]

    # ---- body -----------------------------------------------------------------------------------------------------------

    def _body(self, lines: list[Line]) -> None:
        plan, village, on_page, page_first = self.plan, "", 0, 0
        blanks = set(self.writer.rng.sample(range(len(lines)), min(plan["blank"], len(lines))))
        broken = True  # something but a header stood above
        for at, line in enumerate(lines):
            assert line.at is not None
            home = self.writer.homes[line.at[0]]
            new = home.village != village
            if new and village and plan["sums"] in ("village", "both"):
                self._village_sum(village)
                broken = True
            if plan["page"] and on_page >= plan["page"] and (line.at[1] == 0 or self.writer.style != "merged"):
                broken |= self._page_break(page_first, lines[at - 1], line)
                on_page, page_first = 0, at
            if at in blanks and plan["place"] != "above":
                self.sheet.rows.append([])
            if new and plan["place"] == "headings":
                self._put({min(self.columns.values()): home.village})
            self._place(line, new=new, broken=broken or new)
            village, broken = home.village, False
            values = {self.columns[key]: value for key, value in line.values.items() if key in self.columns}
            self.row_of[line.at] = self._put(values)
            on_page += 1
        if plan["sums"] in ("village", "both"):
            self._village_sum(village)

    def _place(self, line: Line, *, new: bool, broken: bool) -> None:
        """How the row says its village."""
        how = self.plan["place"]
        if (how == "above" and not broken) or (how == "merged" and not new):
            line.values["village"] = None
        elif how == "ditto" and not new:
            line.values["village"] = "〃"

    def _page_break(self, first: int, last: Line, line: Line) -> bool:
        """What stands between two pages; whether it is more than a header printed again."""
        with_what = self.plan["page_with"]
        assert last.at is not None and line.at is not None
        done = sorted(case for case, at in self.row_of if at == 0)
        page = [case for case in done if self.row_of[case, 0] >= self.page_start()]
        if with_what == "sum":
            self._sum("本页小计", sum(self.writer.readable(case, case + 1) for case in page), label="first")
        elif with_what == "carried":
            self._sum("过次页", sum(self.writer.readable(case, case + 1) for case in done), label="first")
        elif with_what == "number":
            self._put({min(self.columns.values()): "第1页"})
        if with_what == "title":
            self._titles()
        self._header()
        if with_what == "carried":
            self._sum("承前页", sum(self.writer.readable(case, case + 1) for case in done), label="first")
        self._started = len(self.sheet.rows)
        return with_what != ""

    def page_start(self) -> int:
        return getattr(self, "_started", 0)

    def _village_sum(self, village: str) -> None:
        cases = [case for case in range(self.first, self.stop) if self.writer.homes[case].village == village]
        self._sum(f"{village}小计", self.writer.readable(cases[0], cases[-1] + 1))

    def _sum(self, word: str, fen: int, *, label: str = "") -> None:
        where = {"village": "village", "name": "name" if "name" in self.columns else "head_name"}.get(
            label or self.plan["label"]
        )
        column = self.columns.get(where or "", min(self.columns.values()))
        if len(self.writer.months) > 1:
            homes = self.stop - self.first
            sums = {"m7": fen, "m8": fen + 100 * homes, "m9": fen + 200 * homes, "whole": 3 * fen + 300 * homes}
        else:
            sums = {"amount": fen}
        taken = [self.columns[key] for key in sums]
        if column in taken:
            column = next(c for c in sorted(self.columns.values()) if c not in taken)
        figures = {self.columns[key]: one / 100 if one % 100 else one // 100 for key, one in sums.items()}
        self._put({column: word, **figures})

    # ---- below, merges, panels ----------------------------------------------------------------------------------------------

    def _below(self) -> None:
        plan, first = self.plan, min(self.columns.values())
        if "serial" in self.columns:
            for number in range(plan["prefilled"]):
                self._put({self.columns["serial"]: self.stop + number + 1})
        fen = self.writer.readable(self.first, self.stop)
        persons = sum(len(self.writer.homes[case].persons) for case in range(self.first, self.stop))
        if plan["sums"] in ("both", "total"):
            self._sum(plan["label_words"], fen)
        elif plan["sums"] == "words":
            homes = f"{self.stop - self.first}户" if self.writer.per_home else ""
            self._put({first: f"合计：{homes}{persons}人，金额{fen / 100:.2f}元"})
        elif plan["sums"] == "capitals":
            self._put({first: f"合计（大写）：{capitals(fen)}"})
        texts = {
            "sign": ["制表人：张三", None, "审核人：李四"], "note": ["注：本表一式三份。"], "date": [None, None, "2026年10月9日"],
            "end": ["以下空白"], "blank": [],
        }  # fmt: skip
        self.sheet.rows += [list(texts[word]) for word in plan["foot"]]

    def _merge_homes(self) -> None:
        """Household cells and villages merged over their rows; never across anything between."""
        if self.writer.style == "merged":
            for case in range(self.first, self.stop):
                rows = sorted(row for (at, _), row in self.row_of.items() if at == case)
                for key in ("serial", "head_name", "amount", "m7", "m8", "m9", "whole", "account"):
                    if key in self.columns:
                        self._merge(self.columns[key], rows)
        if self.plan["place"] == "merged":
            run: list[int] = []
            for (case, _), row in sorted(self.row_of.items(), key=lambda pair: pair[1]):
                same = run and row == run[-1] + 1 and self._village_at(run[-1]) == self.writer.homes[case].village
                if not same:
                    self._merge(self.columns["village"], run)
                    run = []
                    self.sheet.rows[row][self.columns["village"]] = self.writer.homes[case].village
                run.append(row)
            self._merge(self.columns["village"], run)

    def _village_at(self, row: int) -> str:
        return next(self.writer.homes[case].village for (case, _), at in self.row_of.items() if at == row)

    def _merge(self, column: int, rows: list[int]) -> None:
        if len(rows) > 1 and rows[-1] - rows[0] == len(rows) - 1:
            self.sheet.merges.append(f"{letters(column)}{rows[0] + 1}:{letters(column)}{rows[-1] + 1}")

    def _panels(self, lines: list[Line]) -> None:
        """Two lists side by side under headers of the same words."""
        half = (len(lines) + 1) // 2
        left = min(self.columns.values())
        size = self.width - left
        shift = size + 1
        self.width += shift
        words = {column: self.writer.header(key) for key, column in self.columns.items()}
        self._put({**words, **{column + shift: word for column, word in words.items()}})
        top = len(self.sheet.rows)
        for at in range(half):
            values: dict[int, Any] = {}
            for number, side in ((at, 0), (at + half, shift)):
                if number < len(lines):
                    cells = lines[number].values
                    values |= {self.columns[key] + side: value for key, value in cells.items() if key in self.columns}
            self._put(values)
        for side, part in ((0, lines[:half]), (shift, lines[half:])):
            rows = {line.at: top + at for at, line in enumerate(part) if line.at is not None}
            self.writer.expect(rows, {key: column + side for key, column in self.columns.items()})
