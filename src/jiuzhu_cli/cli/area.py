"""jiuzhu area: the code of a place, the place of a code, what an old county is called today."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.cli.policy import REGION
from jiuzhu_cli.cli.policyversion import policy_now


def command(
    ctx: typer.Context,
    text: str = typer.Argument(..., metavar="名称或代码", help="乡镇、村、区县的名称，或 6、9、12 位代码。"),
    region: str = REGION,
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.policy.divisions import AS_OF
    from jiuzhu_cli.policy.gazetteer import look_up

    context: Context = ctx.obj
    divisions = policy_now(context, region).divisions
    found = look_up(text, divisions)
    if not found:
        raise UsageError(
            f"区划表（{AS_OF}）里没有“{text}”",
            "核对写法；乡镇、村只查工作区所在的区县，别处的加 --region；新设的写进工作区 policy/divisions.csv",
        )
    data = {
        "as_of": AS_OF,
        "region": divisions.region,
        "places": [{"code": place.code, "name": place.name, "note": place.note} for place in found],
    }
    rows = [(place.code, place.name, place.note) for place in found]
    context.emit(data, [table(rows, ["代码", "名称", "说明"])])
