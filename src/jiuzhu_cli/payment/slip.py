"""The approval slip (审批单): what an approver signs for — sums, sources, checks, holds, overrides — and room for the signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.mask import mask_name, mask_text
from jiuzhu_cli.core.money import capitals, yuan
from jiuzhu_cli.core.payment_states import KINDS
from jiuzhu_cli.payment.figures import Figures, Tally, change, tallied, total
from jiuzhu_cli.payment.values import beijing
from jiuzhu_cli.policy.funding import OPEN
from jiuzhu_cli.tabular.printed import Band, Box, Head, Printed

GRID = (8.0,) * 12
_NO = "无"
NAMED = 8  # persons named in one row of overrides; the sheet 放行明细 has all


@dataclass(frozen=True, slots=True)
class Signature:
    """One who signs: the role, and name and time when it has been done in the program."""

    role: str
    name: str = ""
    at: str = ""
    key: str = ""  # ID of the key that signed, to be compared with the one its person named


@dataclass(frozen=True, slots=True)
class Held:
    """Cases that one reason kept out of the batch."""

    reason: str
    cases: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Override:
    """A gate that was passed all the same: which, for what (persons masked), why, by whom and by which second person."""

    gate: str
    what: str
    reason: str
    first: str
    second: str
    at: str


@dataclass(frozen=True, slots=True)
class Check:
    """One way of summing the batch up: count and 分."""

    way: str
    lines: int
    amount_fen: int


def slip(
    bureau: str,
    figures: Figures,
    *,
    checks: Sequence[Check],
    held: Sequence[Held],
    held_cases: int,
    overrides: Sequence[Override],
    signatures: Sequence[Signature],
    back_paid: tuple[int, int] = (0, 0),
) -> Printed:
    """The slip of a locked batch as a form on A4 upright; long lists go on over further pages."""
    batch = figures.batch
    page = Printed("审批单", GRID)
    page.line("社会救助资金发放审批单", "title", height=32)
    page.line(f"单位：{bureau}　　编号：{batch['month']}-{batch['sequence']:02d}（第 {batch['payment_id']} 批）")
    _head(page, figures, back_paid)
    _programmes(page, figures)
    _towns(page, figures)
    _sources(page, figures)
    _comparison(page, figures)
    _checks(page, checks)
    _held(page, held, held_cases)
    _overrides(page, overrides)
    _signatures(page, signatures)
    return page


def _head(page: Printed, figures: Figures, back_paid: tuple[int, int]) -> None:
    batch, whole = figures.batch, figures.total
    year, month = str(batch["month"]).split("-")
    rows: list[list[tuple[str, int, Any, int]]] = [  # label, its span, value, its span
        [("发放月份", 2, f"{year}年{int(month)}月", 2), ("种类", 1, KINDS[batch["kind"]], 3), ("本月次序", 2, f"第 {batch['sequence']} 次", 2)],
        [("笔数", 2, f"{whole.lines:,}", 2), ("户数", 1, f"{whole.households:,}" if whole.households else "—", 3), ("人数（人次）", 2, f"{whole.persons:,}", 2)],
        [("金额（小写）", 2, f"¥{yuan(batch['amount_fen'], grouped=True)}", 10)],
        [("金额（大写）", 2, capitals(batch["amount_fen"]), 10)],
    ]  # fmt: skip
    if whole.set_off_fen:
        due = yuan(whole.amount_fen + whole.set_off_fen, grouped=True)
        rows.append([("抵扣追回款", 2, f"¥{yuan(whole.set_off_fen, grouped=True)}（不经银行；应发 ¥{due}）", 10)])
    if back_paid[0]:
        rows.append([("其中补发以前月", 2, f"{back_paid[0]:,} 笔　¥{yuan(back_paid[1], grouped=True)}", 10)])
    rows.append([("控制摘要", 2, f"{batch['control_sha256']}（SHA-256，明细改一个字就对不上）", 10)])
    for row in rows:
        boxes = [
            box
            for label, label_span, value, span in row
            for box in (Box(label, label_span, "label"), Box(value, span, "value"))
        ]
        page.bands.append(Band(tuple(boxes), 20))


def _programmes(page: Printed, figures: Figures) -> None:
    page.line("一、按救助项目", "heading", height=24, keep=True)
    by = tallied(figures.cells, lambda cell: (cell.programme, cell.category))
    rows = [[figures.title(*key), *_numbers(tally)] for key, tally in by.items()]
    rows.append(["合计", *_numbers(figures.total)])
    page.table(
        [Head("救助项目（类别）", 4), Head("笔数", 1, "count"), Head("户数", 2, "count"), Head("人数", 2, "count"), Head("金额（元）", 3, "amount")],
        rows, totals=1,
    )  # fmt: skip


def _towns(page: Printed, figures: Figures) -> None:
    page.line("二、按乡镇（街道）", "heading", height=24, keep=True)
    rows = [[town or "未注明乡镇", *_numbers(tally)] for town, tally in figures.by_town().items()]
    rows.append(["合计", *_numbers(figures.total)])
    page.table(
        [Head("乡镇（街道）", 4), Head("笔数", 1, "count"), Head("户数", 2, "count"), Head("人数", 2, "count"), Head("金额（元）", 3, "amount")],
        rows, totals=1,
    )  # fmt: skip


def _numbers(tally: Tally) -> list[Any]:
    return [tally.lines, tally.households or "", tally.persons, tally.amount_fen]


def _sources(page: Printed, figures: Figures) -> None:
    page.line("三、按资金来源", "heading", height=24, keep=True)
    by = figures.by_source()
    rows: list[list[Any]] = [[level, fen, _part(fen, figures.total.amount_fen)] for level, fen in by.items()]
    rows.append(["合计", figures.total.amount_fen, "100.00%"])
    page.table([Head("资金来源", 5), Head("金额（元）", 4, "amount"), Head("占比", 3, align="right")], rows, totals=1)
    if by.get(OPEN):
        page.line(
            f"“{OPEN}”的是参数“资金分担_项目名_中央（省、市、县）”没有写的部分，不推测；写在 policy/parameters/ 里。"
        )
    if any(not source.share.confirmed for source in figures.sources):
        page.line("有的分担比例还没有对照本地文件确认（请核对）。")


def _part(fen: int, whole: int) -> str:
    hundredths = (fen * 20000 + whole) // (2 * whole) if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def _comparison(page: Printed, figures: Figures) -> None:
    page.line("四、与上月、去年同月比", "heading", height=24, keep=True)
    now, before, ago = total(figures.month), total(figures.before), total(figures.year_ago)
    rows = [
        [name, _shown(now, key), _shown(before, key), change(getattr(now, key), getattr(before, key)), _shown(ago, key), change(getattr(now, key), getattr(ago, key))]
        for name, key in (("笔数", "lines"), ("户数", "households"), ("人数", "persons"), ("金额（元）", "amount_fen"))
    ]  # fmt: skip
    page.table(
        [Head("本月到本批累计", 2), Head("本月", 2, align="right"), Head("上月", 2, align="right"), Head("环比", 2, align="right"), Head("去年同月", 2, align="right"), Head("同比", 2, align="right")],
        rows,
    )  # fmt: skip
    page.line("同一笔应发款只在第一次制单的月份计一次，退回重发的不重复计；“—”是没有可比的。")


def _shown(tally: Tally, key: str) -> str:
    if not tally.lines:  # nothing on record of that month: no 0 that somebody counted
        return "—"
    value = getattr(tally, key)
    return yuan(value, grouped=True) if key == "amount_fen" else f"{value:,}"


def _checks(page: Printed, checks: Sequence[Check]) -> None:
    page.line("五、合计核对", "heading", height=24, keep=True)
    same = len({(check.lines, check.amount_fen) for check in checks}) == 1
    rows = [[check.way, check.lines, check.amount_fen, "一致" if same else "不一致"] for check in checks]
    page.table(
        [
            Head("核对方式", 5),
            Head("笔数", 2, "count"),
            Head("金额（元）", 3, "amount"),
            Head("结果", 2, align="center"),
        ],
        rows,
    )


def _held(page: Printed, held: Sequence[Held], cases: int) -> None:
    page.line("六、拦下不发的", "heading", height=24, keep=True)
    if not held:
        page.line(_NO)
        return
    rows = [[one.reason, one.cases, one.amount_fen] for one in held]
    page.table([Head("原因", 6), Head("户（件）数", 2, "count"), Head("金额（元）", 4, "amount")], rows)
    page.line(f"共 {cases} 户（件）；一户有几个原因的各记一次，不能相加。名单见“拦下名单”。")


def _overrides(page: Printed, overrides: Sequence[Override]) -> None:
    page.line("七、说明理由放行的", "heading", height=24, keep=True)
    if not overrides:
        page.line(_NO)
        return
    rows = [[one.gate, one.what, one.reason, one.first, one.second, one.at] for one in overrides]
    page.table(
        [Head("关口", 2), Head("对象", 3), Head("理由", 3), Head("经办", 1), Head("第二人", 1), Head("时间", 2)],
        rows,
    )  # fmt: skip


def _signatures(page: Printed, signatures: Sequence[Signature]) -> None:
    page.line("八、签字", "heading", height=24, keep=True)
    for start in range(0, len(signatures), 3):
        row = signatures[start : start + 3]
        last = start + 3 >= len(signatures)
        boxes = [Box(_signed(one), 4, "sign") for one in row]
        if len(row) < 3:
            boxes.append(Box("", 12 - 4 * len(row), "sign"))
        page.bands.append(Band(tuple(boxes), 84, keep=not last))


def _signed(one: Signature) -> str:
    at = f"{beijing(one.at):%Y-%m-%d %H:%M}" if one.at else ""
    key = f"\n密钥 {one.key}" if one.key else ""
    return f"{one.role}：{one.name}\n{at}{key}\n签字：\n\n日期：　　　　年　　月　　日"


def signatures_of(
    batch: Mapping[str, Any], given: Sequence[Mapping[str, Any]], needed: Sequence[str]
) -> list[Signature]:
    """Who has done what since the batch was last locked, and room for those who have still to. ``given``: approvals; ``needed``: all levels."""
    found = [
        Signature("制单人", batch["drafted_by"], batch["drafted_at"]),
        Signature("锁定（复核）人", batch["locked_by"], batch["locked_at"]),
    ]
    for move in given:
        found.append(Signature(_approver(move["level"]), move["actor"], move["at"], move.get("signer", "")))
    done = {move["level"] for move in given}
    found += [Signature(_approver(level)) for level in needed if level not in done]
    if not given and not needed:
        found.append(Signature(_approver("")))
    if batch["released_by"]:
        found.append(Signature("放行人", batch["released_by"], batch["released_at"]))
    return [*found, Signature("财务负责人"), Signature("单位负责人")]


def _approver(level: str) -> str:
    return f"审批人（{level}）" if level else "审批人"


def overrides_told(
    groups: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    words: Mapping[str, str],
    batch: Mapping[str, Any],
) -> list[Override]:
    """A row for each gate, reason and pair of people (``groups``: ``overrides.summary``); persons of ``rows`` by masked name and end of ID.

    A reason given for the whole batch is told even where nothing needed it.
    """
    people: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        people.setdefault(_group(row, row["override_id"] is not None), []).append(row)
    found = []
    for group in groups:
        of = people.get(_group(group, group["single"]), [])
        names = "、".join(_masked(row) for row in of[:NAMED]) + ("等" if len(of) > NAMED else "")
        what = f"{group['lines']} 笔 {yuan(group['amount_fen'], grouped=True)} 元" + (f"：{names}" if names else "")
        days = sorted(
            {f"{beijing(stamp):%Y-%m-%d}" for row in of for stamp in (row["asked_at"], row["agreed_at"]) if stamp}
        )
        second = group["agreed_by"] or "待第二人"
        gate = words.get(group["code"], group["code"])
        found.append(
            Override(gate, what, group["reason"], group["asked_by"], second, "\n".join(days[:1] + days[1:][-1:]))
        )
    whole = str(batch["override_reason"])
    if whole and all(one.reason != whole for one in found):
        at = f"{beijing(batch['drafted_at']):%Y-%m-%d}"
        found.append(
            Override("整批", "制单时写的理由", whole, batch["drafted_by"], batch["approved_by"] or "待审批人", at)
        )
    return found


def _group(row: Mapping[str, Any], single: bool) -> tuple[Any, ...]:
    return row["code"], row["reason"], row["asked_by"], row["agreed_by"], single


def _masked(row: Mapping[str, Any]) -> str:
    return f"{mask_name(row['recipient_name'])}（{row['recipient_id_no'][-4:]}）"


def overrides_list(figures: Figures, rows: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> Printed:
    """Every line that was let through, one by one."""
    page = Printed("放行明细", GRID, repeated=2)
    page.line(f"说明理由放行的 {len(rows)} 笔", "heading", height=24)
    page.table(
        [Head("第几笔", 1, "count"), Head("救助项目", 2), Head("乡镇", 1), Head("姓名", 1), Head("金额（元）", 1, "amount"), Head("关口和情况", 3), Head("理由", 2), Head("经办/第二人", 1)],
        [
            [row["line_no"], figures.name(row["programme"]), row["town"], _masked(row), row["amount_fen"],
             f"{words.get(row['code'], row['code'])}：{mask_text(row['hold_reason'])}", row["reason"], f"{row['asked_by']}/{row['agreed_by'] or '待第二人'}"]
            for row in rows
        ],
    )  # fmt: skip
    return page
