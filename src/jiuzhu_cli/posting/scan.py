"""The last look before a posting list is released: no full ID, account or phone in any cell, paragraph, header or property."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from jiuzhu_cli.core.mask import find_personal_numbers

_BLOCKS = {"p", "si", "is", "v", "text"}  # a paragraph, a shared or inline string, a cell's value, a comment
_GAPS = re.compile(r"(?<=\d)[ \t\u00a0\u3000-](?=\d)")
KINDS = {"id18": "身份证号", "id15": "15 位身份证号", "account": "银行账号", "phone": "手机号"}


def personal_numbers_in(path: Path, allowed: Iterable[str] = ()) -> list[str]:
    """Kinds (see ``KINDS``) of full personal numbers in a finished xlsx or docx; [] when clean.

    ``allowed`` are the bureau's own contact texts, which may stand there. Text split over runs is read as one.
    """
    everything = "\n".join(_texts(path))
    for own in allowed:
        if own:
            everything = everything.replace(own, "")
    # as people would read it: blanks and hyphens between digits do not hide a number
    found = find_personal_numbers(everything) + find_personal_numbers(_GAPS.sub("", everything))
    return list(dict.fromkeys(found))


def _texts(path: Path) -> Iterator[str]:
    """Every run of text that somebody could read: by paragraph or cell, then properties, sheet names and the file's name."""
    yield path.stem
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith(".xml") or name.startswith(("word/fontTable", "word/theme", "xl/theme", "xl/styles")):
                continue
            root = ElementTree.fromstring(archive.read(name))
            if name.startswith("docProps/"):
                yield from (element.text for element in root.iter() if element.text)
                yield from (item.get("name", "") for item in root)
                continue
            for element in root.iter():
                tag = element.tag.rpartition("}")[2]
                if tag in _BLOCKS:
                    yield "".join(element.itertext())
                elif tag in ("sheet", "definedName"):
                    yield element.get("name", "") + " " + (element.text or "")
                elif tag.startswith(("oddHeader", "oddFooter", "firstHeader", "firstFooter")):
                    yield element.text or ""
