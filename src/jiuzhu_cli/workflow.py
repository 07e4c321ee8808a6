"""A whole month, stage after stage: the only place where the stages meet. ``jiuzhu demo`` runs it on sample data.

The clerks' part (choosing dispositions, deciding proposals, the bank's answer) is played by stand-ins that work as people do:
through the workbooks and files, not behind the ledger's back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.period import last_day

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

SAMPLE_REGION, SAMPLE_MONTH = "421002", "2026-10"
SAMPLE_TOWNS = ("青溪镇", "白石镇", "龙口镇", "双河乡", "马坪镇", "高桥镇", "枫林乡", "朝阳街道", "花园街道")
DRAFTER, APPROVER = "张经办", "李审批"


@dataclass(frozen=True, slots=True)
class Step:
    """One step done: the command a clerk would type, what came of it, and the files made."""

    name: str
    command: str
    lines: list[str]
    figures: dict[str, Any] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


def sample_folder() -> Path:
    """The small sample set: inside the wheel, or beside the sources."""
    package = Path(__file__).resolve().parent
    inside = package / "sample_data" / "small"
    return inside if inside.is_dir() else package.parent.parent / "sample_data" / "small"


def prepare_demo(folder: Path) -> Workspace:
    """A new workspace for the demo with the sample ledgers in its inbox."""
    from jiuzhu_cli.ledger.workspace import create_workspace, find_workspace

    workspace = create_workspace(folder, region=SAMPLE_REGION, name="示例区民政局", actor=DRAFTER, towns=SAMPLE_TOWNS)
    config = workspace.root / "jiuzhu.toml"
    text = config.read_text("utf-8")
    for empty, filled in (
        ('phone = ""', 'phone = "0716-8000000"'),
        ('address = ""', 'address = "示例区民生路1号"'),
        ('payer_name = ""', 'payer_name = "示例区民政局救助资金专户"'),
        ('payer_account = ""', 'payer_account = "17000100200300400"'),
    ):
        text = text.replace(empty, filled, 1)
    config.write_text(text, "utf-8")
    shutil.copytree(sample_folder() / "inbox", workspace.root / "inbox", dirs_exist_ok=True)
    return find_workspace(workspace.root, explicit=True)


class Month:
    """One month of one workspace; ``run`` yields its steps as they are done."""

    def __init__(self, workspace: Workspace, policy: Policy, store: Store, month: str) -> None:
        self.workspace, self.policy, self.store, self.month = workspace, policy, store, month
        self.day = last_day(month) - timedelta(days=10)
        self.mending: list[Path] = []

    @property
    def now(self) -> datetime:
        return datetime.combine(self.day, time(1, 30), UTC)

    def run(self) -> Iterator[Step]:
        yield self.take_in()
        yield self.compare()
        yield self.dispose()
        yield self.review()
        yield self.decide()
        yield self.post()
        self.day = last_day(self.month)
        yield self.close_postings()
        yield self.draft("制单")
        yield self.lock_and_approve()
        yield self.export()
        yield self.returns()
        yield self.retry()
        yield self.check()

    def _relative(self, path: Path | str) -> str:
        found = Path(path)
        return self.workspace.relative(found) if found.is_absolute() else found.as_posix()

    def take_in(self) -> Step:
        from jiuzhu_cli.intake.batch import import_paths

        inbox = self.workspace.root / "inbox"
        result = import_paths(self.workspace, self.policy, [inbox], today=self.day, now=self.now, actor=DRAFTER)
        files = result.as_json(self.policy)["files"]
        refused = sum(entry["refused"] for entry in files)
        remainders = sorted({entry["remainder_file"] for entry in files if entry["remainder_file"]})
        lines = [
            f"{len(files)} 张表，收下 {sum(e['accepted'] for e in files)} 行，拒收 {refused} 行（各有原因，待改正的行另存 {len(remainders)} 份）"
        ]
        figures = {"tables": len(files), "accepted": sum(e["accepted"] for e in files), "refused": refused}
        return Step(
            "导入花名册和登记册", "jiuzhu import inbox", lines, figures, [self._relative(r) for r in remainders]
        )

    def compare(self) -> Step:
        from jiuzhu_cli.dedupe.evidence import KINDS
        from jiuzhu_cli.dedupe.run import run_dedupe

        result = run_dedupe(
            self.workspace, self.store, self.policy, month=self.month, actor=DRAFTER, now=self.now, split_by_town=True
        )
        self.doubts = result.workbook
        data = result.as_json()
        kinds = "，".join(f"{KINDS[kind]} {count}" for kind, count in data["by_kind"].items() if count)
        lines = [
            f"疑点 {data['doubts']} 条：{kinds}",
            f"不能判定的 {len(result.not_judged)} 项（名册没有导入），不算漏发",
        ]
        return Step(
            "跨项目比对", f"jiuzhu dedupe run --month {self.month} --split-by-town", lines,
            {"doubts": data["doubts"], "by_kind": data["by_kind"]}, [self._relative(result.csv), self._relative(result.workbook)],
        )  # fmt: skip

    def dispose(self) -> Step:
        from jiuzhu_cli.dedupe.dispositions import decide_files

        answers = {
            "重复享受": {"处理结果": "双重享受", "停发哪一方": "乙方"},
            "去世等后仍发放": {"处理结果": "属实"},
            "账户异常": {"处理结果": "误报"},
            "应享未享": {"处理结果": "已转部门办理"},
        }
        checked = {"备注": "演示：入户核实", "核实人": DRAFTER, "核实日期": self.day.isoformat()}

        def clerk(sheet: str, row: Mapping[str, Any]) -> dict[str, str]:
            kind = next((word for word in answers if word in sheet), "")
            # one in five stays open, as in life: those payments are held
            left_open = str(row["疑点编号"])[-1] in "05"
            return {} if left_open or not kind else answers[kind] | checked

        filled = self._fill(self.doubts, clerk, key="疑点编号")
        result = decide_files(self.store, [filled], actor=DRAFTER, now=self.now)
        lines = [f"读回处理结果 {result.applied} 条，没有采用 {len(result.refused)} 条；没填的仍算待核实，会拦住发放"]
        command = f"jiuzhu dedupe decide {self._relative(filled)}"
        return Step(
            "核实疑点，读回处理结果", command, lines, {"applied": result.applied, "refused": len(result.refused)}
        )

    def review(self) -> Step:
        from jiuzhu_cli.review.output import ACTIONS
        from jiuzhu_cli.review.run import run_review

        result = run_review(
            self.store, self.workspace, self.policy, self.month, today=self.day, now=self.now, actor=DRAFTER
        )
        data = result.as_json()
        self.proposals = self.workspace.root / data["workbook"]
        actions = "，".join(f"{ACTIONS[action]} {count}" for action, count in data["by_action"].items() if count)
        lines = [f"建议 {data['proposals']} 件：{actions}"]
        return Step(
            "按政策复核资格和金额", f"jiuzhu review run --month {self.month}", lines,
            {"proposals": data["proposals"], "by_action": data["by_action"]}, [self._relative(data["csv"]), self._relative(data["workbook"])],
        )  # fmt: skip

    def decide(self) -> Step:
        from jiuzhu_cli.review.decisions import decide_from

        heard, told = (self.day + timedelta(days=2)).isoformat(), (self.day + timedelta(days=3)).isoformat()

        def clerk(sheet: str, row: Mapping[str, Any]) -> dict[str, str]:
            if sheet in ("停发", "调减", "调增"):
                heard_out = str(row.get("须听取意见", "")) not in ("", "否")
                return {"决定": "同意"} | ({"听取意见日期": heard, "书面告知日期": told} if heard_out else {})
            return {}

        self.day += timedelta(days=3)
        filled = self._fill(self.proposals, clerk, key="建议编号")
        result = decide_from(self.store, filled, today=self.day, now=self.now, actor=DRAFTER)
        lines = [
            f"读回决定 {result.applied} 件，已生效 {result.effective} 件，没有采用 {len(result.refused)} 件",
            "调减、停发都填了听取意见和书面告知的日期（社会救助法第48条），否则不生效",
        ]
        return Step("决定，读回", f"jiuzhu review decide {self._relative(filled)}", lines, {"applied": result.applied})

    def post(self) -> Step:
        from jiuzhu_cli.posting import rounds

        made = rounds.make(
            self.workspace, self.store, self.policy, self.month, start=self.day, actor=DRAFTER, now=self.now
        )
        lists = made.lists
        lines = [f"{len(lists)} 张公示单（xlsx 和 docx），公示 {lists[0].start} 至 {lists[0].end}"] if lists else []
        lines += [f"不公示：{self.policy.programmes[code].name}（{why}）" for code, why in made.not_posted]
        return Step(
            "各村公示单", f"jiuzhu post make --month {self.month}", lines, {"lists": len(lists)},
            [file for one in lists[:2] for file in one.files],
        )  # fmt: skip

    def close_postings(self) -> Step:
        from jiuzhu_cli.posting import closing

        found = closing.select(self.store, self.policy, self.month)
        closed = closing.close(self.store, found, today=self.day, actor=DRAFTER, now=self.now).closed
        command = f"jiuzhu post close --month {self.month}"
        return Step("公示期满", command, [f"{len(closed)} 张期满无异议，结束公示"], {"closed": len(closed)})

    def draft(self, name: str) -> Step:
        from jiuzhu_cli.payment import plan
        from jiuzhu_cli.payment.holds import BY_CODE

        made = plan.draft(self.store, self.workspace, self.policy, self.month, actor=DRAFTER, now=self.now)
        batch = made.batch
        held = "，".join(f"{BY_CODE[code].name} {count}" for code, count in made.holds_by_code.items())
        lines = [
            f"第 {batch['payment_id']} 批：{batch['lines']} 笔 {yuan(batch['amount_fen'], grouped=True)} 元；拦下 {made.held} 笔"
            + (f"（{held}）" if held else "")
        ]
        figures = {"lines": batch["lines"], "amount_fen": batch["amount_fen"], "held": made.held}
        return Step(
            name, f"jiuzhu pay draft --month {self.month}", lines, figures, [self._relative(f) for f in made.files]
        )

    def lock_and_approve(self) -> Step:
        from jiuzhu_cli.payment import approvals

        batch = approvals.choose(self.store, ("draft",), month=self.month)
        batch = approvals.lock(self.store, self.workspace, self.policy, batch, actor=DRAFTER, now=self.now)
        self._papers(batch, DRAFTER, "pay lock")
        batch = approvals.approve(self.store, self.workspace, self.policy, batch, actor=APPROVER, now=self.now)
        outputs = self._papers(batch, APPROVER, "pay approve")
        lines = [f"锁定控制总数，由{APPROVER}审批（制单人不能审批自己的单）；审批单、汇总表、花名册在 out/internal/pay"]
        command = f"jiuzhu pay lock && jiuzhu pay approve --actor {APPROVER}"
        return Step("锁定、审批", command, lines, {"state": batch["state"]}, outputs)

    def _papers(self, batch: dict[str, Any], actor: str, command: str) -> list[str]:
        """The papers that the batch's state brings; those of the batch as a whole by path."""
        from jiuzhu_cli.payment import papers

        made = papers.make_papers(
            self.store, self.workspace, self.policy, batch, papers.kinds_at(self.workspace, batch), actor=actor, now=self.now,
            command=command,
        )  # fmt: skip
        return [self._relative(one["path"]) for one in made.papers if one["kind"] in (papers.SLIP, papers.VOUCHER)]

    def export(self) -> Step:
        from jiuzhu_cli.payment import approvals, export

        batch = approvals.choose(self.store, ("approved",), month=self.month)
        made = export.export(self.store, self.workspace, self.policy, batch, actor=DRAFTER, now=self.now)
        lines = [
            f"{self.policy.banks[entry['bank']].name}：{entry['lines']} 笔 {yuan(entry['amount_fen'], grouped=True)} 元　{entry['path']}"
            for entry in made.files
        ]
        outputs = [entry["path"] for entry in made.files] + [self._relative(made.cover), self._relative(made.manifest)]
        outputs += self._papers(made.batch, DRAFTER, "pay export")
        self.payment_id = batch["payment_id"]
        return Step("银行文件", "jiuzhu pay export", lines, {"files": len(made.files)}, outputs)

    def returns(self) -> Step:
        from jiuzhu_cli.payment import answers as bank
        from jiuzhu_cli.payment import returns

        folder = self.workspace.root / "inbox" / "银行回盘"
        folder.mkdir(mode=0o700, exist_ok=True)
        refusals = {3: "户名与账号不符", 11: "账户已销户"}
        answers = bank.simulate_returns(self.store, self.workspace, self.policy, self.payment_id, folder, refusals)
        self.day += timedelta(days=2)
        succeeded = failed = 0
        for path in answers:
            read = returns.read_return(self.store, self.workspace, self.policy, path, actor=DRAFTER, now=self.now)
            succeeded, failed = succeeded + read.succeeded, failed + read.failed
            self.mending = [self.workspace.root / form["path"] for form in read.mending]
        lines = [
            f"{len(answers)} 份回盘逐笔核对：成功 {succeeded} 笔，失败 {failed} 笔（名单和各乡镇的更正表在 out/internal/pay）"
        ]
        outputs = [self._relative(form) for form in self.mending]
        figures = {"succeeded": succeeded, "failed": failed}
        return Step("银行回盘", "jiuzhu pay return 回盘文件", lines, figures, outputs)

    def retry(self) -> Step:
        """The towns fill in what they found out about the refused accounts; the forms come back by import, then the batch to follow is drafted."""
        from jiuzhu_cli.intake.batch import import_paths

        def clerk(sheet: str, row: Mapping[str, Any]) -> dict[str, str]:
            number = str(row["笔号"])
            account = f"81000{sum(map(ord, number)):013d}"
            return {"处理": "换了账户", "新账号": account, "核实人": "王村干", "核实日期": self.day.isoformat()}

        filled = [self._fill(form, clerk, key="笔号") for form in self.mending]
        import_paths(self.workspace, self.policy, filled, today=self.day, now=self.now, actor=DRAFTER)
        step = self.draft("补发")
        step.lines.insert(0, f"{len(filled)} 份更正表填好读回（jiuzhu import），按新账户补发")
        return step

    def check(self) -> Step:
        from jiuzhu_cli.ledger.audit import check_ledger

        result = check_ledger(self.store, self.workspace)
        lines = [
            f"日志 {result.entries} 条，产出文件 {result.files} 个，"
            + ("全部相符" if not result.problems else f"{len(result.problems)} 处不符")
        ]
        return Step("查账", "jiuzhu audit check", lines, {"ok": not result.problems})

    def _fill(self, book: Path, clerk: Callable[[str, Mapping[str, Any]], Mapping[str, str]], *, key: str) -> Path:
        from jiuzhu_cli.tabular.fill import fill_workbook

        target = self.workspace.root / "inbox" / f"{book.stem}_已填.xlsx"
        fill_workbook(book, target, clerk, key=key)
        return target
