"""Which files an import is asked to read, in which order, and which of them belong together."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jiuzhu_cli.core.errors import JiuzhuError, UsageError
from jiuzhu_cli.intake.areas import Towns, is_full_town
from jiuzhu_cli.intake.pairs import pair_key
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.archive import members
from jiuzhu_cli.tabular.files import LOCKS, files_below
from jiuzhu_cli.tabular.secret import Secrets

Source = tuple[Path, Path]  # a file, and the folder that was asked for


def source_files(paths: Sequence[Path], workspace: Workspace, secrets: Secrets | None = None) -> Iterator[Source]:
    """Files to be read with the folder they were asked for; folders recursively, without lock files and our own output.

    A zip of files is a folder, too: its members are paths below it (``archive.file_bytes`` reads them). One that must be
    refused stays one file, and reading it says why. UsageError when a path does not exist.
    """
    for path, root in _files_on_disk(paths, workspace):
        yield from ((inside, root) for inside in _unpacked(path, secrets or Secrets()))


def _unpacked(path: Path, secrets: Secrets) -> list[Path]:
    try:
        return secrets.unlock(path, lambda passwords: members(path, passwords)) or [path]
    except JiuzhuError:
        return [path]


def _files_on_disk(paths: Sequence[Path], workspace: Workspace) -> Iterator[Source]:
    own = (workspace.root / "out").resolve()
    for path in paths:
        if path.is_file():
            if path.name.startswith(LOCKS):
                whole = path.name.removeprefix("~$").removeprefix(".~")
                raise UsageError(
                    f"“{path.name}”是表格打开时的临时文件，不是台账",
                    f"导入“{whole}”；它正开着也能导入，改动要先保存",
                )
            yield path, path.parent
        elif path.is_dir():
            yield from ((file, path) for file in files_below(path, own))
        else:
            raise UsageError(f"没有“{path}”这个文件或文件夹", _advice(path, workspace))


def _advice(path: Path, workspace: Workspace) -> str:
    """Where a file that is not there may be: one of nearly the same name, or the same name in the folder for what comes in."""
    with contextlib.suppress(OSError):
        places = (path.parent, workspace.root / "inbox")
        for place in filter(Path.is_dir, dict.fromkeys(places)):
            names = [one.name for one in place.iterdir() if not one.name.startswith((".", *LOCKS))]
            near = [path.name] if path.name in names else difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
            if near:
                return f"是不是“{'”“'.join(str(place / name) for name in near)}”？路径含空格时加引号"
    return "检查路径；含空格时加引号"


def source_groups(files: Iterable[Source]) -> list[list[Source]]:
    """Files one by one, in order; the two exports of one provincial list together."""
    found: dict[str, list[Source]] = {}
    for path, root in files:
        key = pair_key(path)
        found.setdefault(key[0] if key else str(path), []).append((path, root))
    return list(found.values())


def towns_in_names(files: Iterable[Source]) -> set[str]:
    """Full names of towns in the names of files and of the folders they lie in."""
    names = {part for path, root in files for part in (root.name, *path.relative_to(root).parts)}
    nowhere = Towns(())
    return {town for town in (nowhere.find(name)[0] for name in names) if is_full_town(town)}
