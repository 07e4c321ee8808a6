"""Makes src/jiuzhu_cli/data/characters/: how characters sound, what they look like, which are variants of which.

    pip install pypinyin==0.55.0 four-corner-method==0.2.0 opencc-python-reimplemented==0.1.7
    python tools/build_characters.py

Sounds: the first reading of pypinyin (MIT) without tone, as pypinyin's own ``to_normal`` writes it. Corners: the first four figures of the
four-corner code (four-corner-method, MIT). Variants: traditional to simplified, TSCharacters of OpenCC (Apache 2.0), only where one simplified
character is meant, and the other forms of one character that registers write either way. The same packages give the same bytes.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "jiuzhu_cli" / "data" / "characters"
# 异体 beside the pairs of OpenCC: characters that registers write either way
SAME_CHARACTER = "峯峰 崐昆 崑昆 嶽岳 邨村 菓果 栢柏 秌秋 煇辉 囯国 珎珍 琹琴 昇升 陞升 甦苏 詠咏 於于 喆哲 堃坤".split()  # fmt: skip


def sounds() -> dict[str, str]:
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    plain: dict[str, str] = {}
    for code, readings in sorted(PINYIN_DICT.items()):
        first = to_normal(readings.partition(",")[0]).replace("ü", "v")
        plain[first] = plain.get(first, "") + chr(code)
    return plain


def corners() -> dict[str, str]:
    from four_corner_method import FourCornerMethod

    by_code: dict[str, list[str]] = {}
    for char, code in sorted(FourCornerMethod().data.items()):
        if len(char) == 1 and not 0xD800 <= ord(char) <= 0xDFFF and len(code) >= 4 and code[:4].isdigit():
            by_code.setdefault(code[:4], []).append(char)
    return {code: "".join(sorted(chars)) for code, chars in by_code.items()}


def variants() -> dict[str, str]:
    text = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if "\t" in line)
    plain = {old: new for old, new in pairs if len(old) == len(new) == 1 and old != new}
    plain |= {pair[0]: pair[1] for pair in SAME_CHARACTER}
    by_plain: dict[str, str] = {}
    for old, new in sorted(plain.items()):
        end = plain.get(new, new)
        by_plain[end] = by_plain.get(end, "") + old
    return by_plain


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, table in (("sounds", sounds()), ("corners", corners()), ("variants", variants())):
        lines = [f"{key}\t{chars}\n" for key, chars in sorted(table.items())]
        (TARGET / f"{name}.txt").write_text("".join(lines), encoding="utf-8", newline="\n")
        print(f"{name}: {len(lines)} lines, {sum(len(chars) for chars in table.values())} characters")


if __name__ == "__main__":
    main()
