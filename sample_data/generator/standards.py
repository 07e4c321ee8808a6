"""The amounts that the sample's rolls follow, in 元 per month, from the policy data of the product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Standards:
    """元/人/月 unless said otherwise. ``care`` is the nursing tier of 特困 by self-care."""

    urban: Decimal
    rural: Decimal
    margin_multiple: Decimal
    extreme_urban: Decimal
    extreme_rural: Decimal
    care: dict[str, Decimal]
    living: Decimal
    nursing: dict[int, Decimal]  # by disability grade
    old_age: dict[int, Decimal]  # by the age from which it is paid
    old_age_poor: dict[int, Decimal]  # the same for persons on 低保, 特困 or 低保边缘
    orphan: Decimal
    de_facto_orphan: Decimal
    de_facto_cap: Decimal
    elder_care: Decimal
    old_age_from: int = 80


FALLBACK = Standards(
    urban=Decimal(760), rural=Decimal(600), margin_multiple=Decimal("1.5"), extreme_urban=Decimal(988),
    extreme_rural=Decimal(780), care={"自理": Decimal(191), "半护理": Decimal(319), "全护理": Decimal(478)},
    living=Decimal(80), nursing={1: Decimal(100), 2: Decimal(100)},
    old_age={80: Decimal(25), 90: Decimal(100), 100: Decimal(300)}, old_age_poor={80: Decimal(100), 90: Decimal(100), 100: Decimal(300)},
    orphan=Decimal(1400), de_facto_orphan=Decimal(1120), de_facto_cap=Decimal(1400), elder_care=Decimal(200),
)  # fmt: skip


def standards_for(region: str, month: str) -> Standards:
    """The standards of ``region`` in ``month`` from the product's own policy data; FALLBACK for what it does not state."""
    from jiuzhu_cli.policy.load import load_policy

    policy = load_policy(region=region)
    day = date(int(month[:4]), int(month[5:]), 1)

    def value(name: str, default: Decimal) -> Decimal:
        found = policy.parameter_or_none(name, day)
        return found.value if found is not None and isinstance(found.value, Decimal) else default

    f = FALLBACK
    ages = {age: value(f"高龄津贴标准_{age}", amount) for age, amount in f.old_age.items()}
    return Standards(
        urban=value("低保标准_城市", f.urban), rural=value("低保标准_农村", f.rural),
        margin_multiple=value("低保边缘倍数", f.margin_multiple),
        extreme_urban=value("特困基本生活标准_城市", f.extreme_urban), extreme_rural=value("特困基本生活标准_农村", f.extreme_rural),
        care={
            "自理": value("照料护理标准_自理", f.care["自理"]), "半护理": value("照料护理标准_半自理", f.care["半护理"]),
            "全护理": value("照料护理标准_全护理", f.care["全护理"]),
        },
        living=value("困难残疾人生活补贴标准", f.living),
        nursing={1: value("重度残疾人护理补贴标准_一级", f.nursing[1]), 2: value("重度残疾人护理补贴标准_二级", f.nursing[2])},
        old_age=ages,
        old_age_poor={age: value(f"高龄津贴标准_{age}_困难", amount) for age, amount in ages.items()},
        orphan=value("孤儿基本生活标准_散居", f.orphan), de_facto_orphan=value("事实无人抚养儿童标准", f.de_facto_orphan),
        de_facto_cap=value("低保与事实无人抚养合计封顶", f.de_facto_cap), elder_care=value("养老护理补贴标准", f.elder_care),
        old_age_from=int(value("高龄起始年龄", Decimal(f.old_age_from))),
    )  # fmt: skip


def known_programmes(region: str) -> frozenset[str]:
    """The programmes that the product ships."""
    from jiuzhu_cli.policy.load import load_policy

    return frozenset(load_policy(region=region).programmes)
