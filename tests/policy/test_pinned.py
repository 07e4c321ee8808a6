"""A month that was paid keeps the policy it was paid with, whatever the folder says since; a change is told, not taken."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.ledger.workspace import Workspace
from tests.support import make_id, make_workspace, put_roll

STANDARD = '[[parameter]]\nname = "低保标准_农村"\narea = "421002"\nunit = "元/人/月"\nsource = "区政发〔2026〕3号"\nvalues = [{{ since = 2026-01-01, value = {0} }}]\n'
MONTH = "2026-05"


def write(work: Workspace, name: str, text: str) -> None:
    path = work.policy_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    work = make_workspace(tmp_path / "w")
    write(work, "parameters/own.toml", STANDARD.format(585))
    with work.open_store() as store:
        put_roll(store, "subsistence_allowance", "青溪镇", MONTH, [
            {"id_no": make_id(n, born="19800101"), "name": f"户主{n}", "amount_fen": 58500, "income_fen": 0, "income_period": "month",
             "covered_persons": 1, "household_size": 1, "category": "农村", "account_no": f"6217{n:012d}"} for n in (1, 2)
        ])  # fmt: skip
    return work


def run(work: Workspace, capsys: Any, *words: str, code: int = 0) -> tuple[Any, str]:
    with pytest.raises(SystemExit) as ended:
        main(["-C", str(work.root), "--today", "2026-06-15", "--json", *words])
    out, err = capsys.readouterr()
    assert int(ended.value.code or 0) == code, out + err
    return json.loads(out) if out else None, err


def pay(work: Workspace, capsys: Any) -> None:
    run(work, capsys, "dedupe", "run", "--month", MONTH)
    run(work, capsys, "pay", "draft", "--month", MONTH, "--override", "测试")
    run(work, capsys, "pay", "lock")
    run(work, capsys, "pay", "approve", "--actor", "李审批")
    run(work, capsys, "pay", "export")


def proposals(work: Workspace, capsys: Any) -> dict[str, int]:
    data, _ = run(work, capsys, "review", "run", "--month", MONTH)
    return dict(data["by_action"])


def test_a_paid_month_is_judged_as_it_was(work: Workspace, capsys: Any) -> None:
    assert proposals(work, capsys) == {}
    write(work, "parameters/own.toml", STANDARD.format(590))
    assert proposals(work, capsys) == {"increase": 2}  # not paid yet: today's files count
    write(work, "parameters/own.toml", STANDARD.format(585))
    pay(work, capsys)
    write(work, "parameters/own.toml", STANDARD.format(590))
    write(work, "relations.toml", '[[relations]]\nid = "A21"\nkind = "S"\n')
    assert proposals(work, capsys) == {}
    _, err = run(work, capsys, "review", "run", "--month", MONTH)
    assert "2026-05 已发放" in err and "policy diff 2026-05 today" in err
    told, _ = run(work, capsys, "explain", "户主1")
    assert told["programmes"][0]["should"]["fits"] and "585" in json.dumps(told, ensure_ascii=False)
    for words in (["post", "make"], ["post", "list"], ["review", "due"]):
        _, err = run(work, capsys, *words, "--month", MONTH)
        assert "2026-05 已发放，按发放时" in err, words
    # a late household of the month: drafted, locked and posted by the standard of then, and pinned to it
    with work.open_store() as store:
        put_roll(store, "subsistence_allowance", "白石镇", MONTH, [{"id_no": make_id(9, born="19800101"), "name": "户主9", "amount_fen": 58500, "income_fen": 0, "income_period": "month", "covered_persons": 1, "household_size": 1, "category": "农村", "account_no": "6217000000000009"}])  # fmt: skip
    assert proposals(work, capsys) == {}
    run(work, capsys, "dedupe", "run", "--month", MONTH)
    late, _ = run(work, capsys, "pay", "draft", "--month", MONTH, "--override", "测试")
    run(work, capsys, "pay", "lock")
    with work.open_store() as store:
        digests = {row[0] for row in store.query("SELECT policy_digest FROM payment_batch")}
    assert len(digests) == 1 and late["lines"] == 1
    for name, value in (("--month", "585"), ("--on", "590")):
        shown, _ = run(
            work, capsys, "policy", "show", "低保标准_农村", name, MONTH if name == "--month" else "2026-05-01"
        )
        assert shown["parameters"][0]["value"]["value"] == value
        assert shown["version"]["pinned"] is (name == "--month")
    check, _ = run(work, capsys, "policy", "check")
    warned = [one for one in check["problems"] if "已发放" in one["text"]]
    assert [
        ("585" in one["text"], "590" in one["text"], "own.toml" in one["where"])
        for one in warned
        if "低保标准_农村" in one["where"]
    ] == [(True, True, True)]
    diff, _ = run(work, capsys, "policy", "diff", MONTH, "today")
    by_key = {(one["kind"], one["key"]): one for one in diff["differences"]}
    changed = by_key["parameters", "低保标准_农村"]
    assert (changed["before"], changed["after"], changed["files_now"]) == (
        "585 元/人/月",
        "590 元/人/月",
        "590 元/人/月",
    )
    assert by_key["relations", "A21"]["changed"] == ["kind"]
    assert not diff["after"]["pinned"] and diff["before"]["pinned"]


def test_a_new_programme_is_judged_in_a_month_that_was_paid_without_it(work: Workspace, capsys: Any) -> None:
    pay(work, capsys)
    write(work, "programmes/fishery.toml", 'name = "渔民补贴"\ndepartment = "民政"\nunit = "person"\nbenefit = "fixed"\nsource = "某文"\n[[tariffs]]\namount = "渔民补贴标准"\n')  # fmt: skip
    write(work, "parameters/fishery.toml", '[[parameter]]\nname = "渔民补贴标准"\narea = "421002"\nunit = "元/人/月"\nsource = "某文"\nvalues = [{ since = 2026-01-01, value = 90 }]\n')  # fmt: skip
    with work.open_store() as store:
        put_roll(store, "fishery", "青溪镇", MONTH, [{"id_no": make_id(7), "name": "渔民", "amount_fen": 8000}])
    assert proposals(work, capsys) == {"increase": 1}


def test_what_was_kept_cannot_be_changed_unseen(work: Workspace, capsys: Any) -> None:
    pay(work, capsys)
    write(work, "parameters/own.toml", STANDARD.format(590))
    with closing(sqlite3.connect(work.ledger_path)) as db:
        db.execute("UPDATE policy_version SET content = CAST(substr(content, 1, 500) AS BLOB)")
        db.commit()
    run(work, capsys, "review", "run", "--month", MONTH, code=3)


def test_a_month_paid_before_policies_were_kept_says_so(work: Workspace, capsys: Any) -> None:
    pay(work, capsys)
    write(work, "parameters/own.toml", STANDARD.format(590))
    with closing(sqlite3.connect(work.ledger_path)) as db:
        db.execute("DELETE FROM policy_version")
        db.commit()
    data, err = run(work, capsys, "review", "run", "--month", MONTH)
    assert data["by_action"] == {"increase": 2} and "没有存在台账里" in err
    shown, _ = run(work, capsys, "policy", "show", "低保标准_农村", "--month", MONTH)
    assert not shown["version"]["pinned"]
