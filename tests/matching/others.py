"""Other people than ``people.py`` makes: another region, other names, families, villages, habits and errors, made by other code.

Nothing of the matching was tuned on these lists. A third of the people have minority names (two parts and an interpunct, in either order and
many spellings; Tibetan names that whole villages share), characters are written 繁体 here and there, villages are of very different size,
old people give a child's telephone, sex and birth date are written in many ways, some lists have neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tests.matching.people import Lists, checked

SURNAMES = "李王张马杨刘陈赵周吴徐孙胡朱高林何郭罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文欧阳".replace("欧阳", "")  # fmt: skip
MALE, FEMALE = (
    "国华建军志强文斌海涛永福德胜长林世杰少峰光明新民振宇成龙玉山宝财家栋立群正义广生有才春来福顺金贵学文大勇景云庆丰",
    "秀英桂兰玉珍淑芬美丽春梅凤霞雪琴小红爱莲彩云月娥素贞翠花金凤丽娟艳萍慧敏静怡银花香菊瑞雪海燕冬梅巧珍惠芳腊梅",
)
UYGHUR = "阿卜杜拉 买买提 艾合买提 玉素甫 吐尔逊 阿依古丽 帕提古丽 热孜万古丽 古丽娜尔 艾尔肯 库尔班 依明 托合提 阿迪力 亚森 祖丽胡玛尔 米日古丽 艾山 肉孜 努尔买买提 阿不力孜 海日古丽 斯迪克 麦麦提".split()  # fmt: skip
TIBETAN = "扎西 卓玛 次仁 多吉 央金 格桑 旦增 拉姆 平措 达瓦 尼玛 白玛 仁青 索朗 德吉 曲珍 洛桑 边巴 巴桑 普布".split()
OLD_FORMS = dict(zip("张刘陈杨赵吴孙郑谢韩冯萧邓卢蒋贾叶阎钟姜谭邹陆顾龙万钱汤国华军强涛胜长杰龙玉宝财栋义广来顺贵学庆兰丽凤云爱莲银静艳萍慧雪丰", "張劉陳楊趙吳孫鄭謝韓馮蕭鄧盧蔣賈葉閻鍾薑譚鄒陸顧龍萬錢湯國華軍強濤勝長傑龍玉寶財棟義廣來順貴學慶蘭麗鳳雲愛蓮銀靜艷萍慧雪豐", strict=True))  # fmt: skip
ALIKE = ("华花", "国囯", "军君", "强墙", "文纹", "斌彬", "海诲", "永泳", "德得", "林材", "芬芳", "梅海", "霞露", "琴芩", "云去", "萍苹", "敏每", "志忘", "明朋", "玉王", "生升", "春舂", "来耒")  # fmt: skip
SOUND_ALIKE = ("芬氛", "霞侠", "珍真", "英瑛", "军均", "强蔷", "明名", "平萍", "红虹", "燕艳", "杰洁", "伟玮", "福富", "兰岚", "云芸", "静净", "勇永", "群裙", "峰锋", "山珊")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares of records with each error or habit; ``twins``, ``minority``: shares of households and villages."""

    typo: float = 0.025
    swapped: float = 0.005
    missing: float = 0.04
    dropped: float = 0.005
    old_15: float = 0.003
    zeros: float = 0.005
    letters: float = 0.003
    members_id: float = 0.002
    second_id: float = 0.001
    name: float = 0.02
    old_forms: float = 0.03
    other_order: float = 0.05
    no_phone: float = 0.4
    other_phone: float = 0.25
    no_account: float = 0.15
    other_account: float = 0.12
    no_village: float = 0.02
    births_told: float = 0.4
    sex_told: float = 0.5
    twins: float = 0.01
    minority: float = 0.35
    again: float = 0.45
    village_size: int = 900


def make_other_lists(size: int, seed: int, habits: Habits | None = None) -> Lists:
    """``size`` records; a person comes back with chance ``again`` time and again."""
    habits, rng = habits or Habits(), np.random.default_rng([seed, 77])
    people = _people(rng, round(size * (1 - habits.again)), habits)
    extra = rng.integers(0, len(people), size - len(people))
    person = rng.permutation(np.concatenate([np.arange(len(people)), extra]))
    second = {
        int(p): _another_id(rng, people[int(p)])
        for p in rng.permutation(len(people))[: int(size * habits.second_id * 3)]
    }
    rows, marks = [], np.zeros(size, bool)
    for at, p in enumerate(person.tolist()):
        one = people[p]
        number, told = one["id"], rng.random(6)
        if p in second and told[5] < 0.4:
            number, marks[at] = second[p], True
        elif told[5] > 1 - habits.members_id:
            number = people[min(one["kin"], len(people) - 1)]["id"]
        rows.append(
            {
                "id_no": _damaged(rng, number, habits),
                "name": _spelled(rng, one["name"], habits),
                "sex": (("男", "女")[one["female"]] if told[0] < habits.sex_told else None),
                "birth_date": _day(rng, one["birth"]) if told[1] < habits.births_told else None,
                "village": None if told[2] < habits.no_village else _place(rng, one["village"]),
                "phone": None if told[3] < habits.no_phone else f"1{rng.integers(3e9, 1e10)}" if rng.random() < habits.other_phone else one["phone"],
                "account_no": None if told[4] < habits.no_account else f"6217{rng.integers(1e14, 1e15)}" if rng.random() < habits.other_account else one["account"],
            }
        )  # fmt: skip
    records = pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in rows[0]]))
    return Lists(records, person, marks, np.full(size, -1))


def _people(rng: np.random.Generator, count: int, habits: Habits) -> list[dict]:  # type: ignore[type-arg]
    out: list[dict] = []  # type: ignore[type-arg]
    used: set[str] = set()
    village, left = -1, 0
    while len(out) < count:
        if left <= 0:
            village += 1
            left = max(30, int(rng.lognormal(np.log(habits.village_size), 0.9)))
            kind = rng.choice(
                ["han", "uyghur", "tibetan"], p=[1 - habits.minority, habits.minority * 0.6, habits.minority * 0.4]
            )
            clan = SURNAMES[int(rng.integers(0, 30))]  # half of a village has one surname
            office = f"1{rng.integers(3e9, 1e10)}"
        members = int(min(7, 1 + rng.geometric(0.4)))
        start, left = len(out), left - members
        surname = clan if rng.random() < 0.5 else SURNAMES[int(rng.integers(0, len(SURNAMES)))]
        family_phone, family_account = f"1{rng.integers(3e9, 1e10)}", f"6217{rng.integers(1e14, 1e15)}"
        area = str(rng.choice([653101, 653122, 510722, 510781, 632521]))
        father = UYGHUR[int(rng.integers(0, len(UYGHUR)))]
        for place in range(members):
            female = int(rng.random() < 0.5) if place > 1 else place
            year = int(rng.integers(1930, 1975)) if place < 2 else int(rng.integers(1965, 2024))
            birth = (
                (year, 1, 1)
                if kind == "uyghur" and year < 1970 and rng.random() < 0.5
                else (year, int(rng.integers(1, 13)), int(rng.integers(1, 29)))
            )
            twin = place > 2 and rng.random() < habits.twins * 3
            if twin:
                birth = out[-1]["birth"]
            name = _name(
                rng, kind, surname if place != 1 else SURNAMES[int(rng.integers(0, len(SURNAMES)))], female, father
            )
            if twin and kind == "han":
                name = out[-1]["name"][:-1] + (MALE, FEMALE)[female][int(rng.integers(0, 40))]
            if place == 2 and rng.random() < 0.004:
                name = out[start]["name"]  # father and son of one name
            order = (int(out[-1]["id"][14:17]) + 1) % 1000 if twin else int(rng.integers(0, 500)) * 2 + (1 - female)
            number = _id(area, birth, order)
            while number in used:
                number = _id(area, birth, int(rng.integers(0, 500)) * 2 + (1 - female))
            used.add(number)
            phone = (
                office if rng.random() < 0.03 else family_phone if rng.random() < 0.7 else f"1{rng.integers(3e9, 1e10)}"
            )
            account = family_account if rng.random() < 0.4 else f"6217{rng.integers(1e14, 1e15)}"
            kin = start + (place + 1) % members
            out.append(
                {
                    "id": number,
                    "name": name,
                    "female": female,
                    "birth": birth,
                    "village": village,
                    "phone": phone,
                    "account": account,
                    "kin": kin,
                }
            )
    return out[:count]


def _name(rng: np.random.Generator, kind: str, surname: str, female: int, father: str) -> str:
    if kind == "uyghur":
        return f"{UYGHUR[int(rng.integers(0, len(UYGHUR)))]}·{father}"
    if kind == "tibetan":
        one, two = rng.choice(len(TIBETAN), 2, replace=False)
        return TIBETAN[one] + (TIBETAN[two] if rng.random() < 0.8 else "")
    pool = (MALE, FEMALE)[female]
    if rng.random() < 0.35:  # as it stands in the pool: popular
        start = int(rng.integers(0, len(pool) // 2)) * 2
        return surname + pool[start : start + 2]
    return surname + "".join(pool[int(rng.integers(0, len(pool)))] for _ in range(1 if rng.random() < 0.2 else 2))


def _id(area: str, birth: tuple[int, int, int], order: int) -> str:
    digits = f"{area}{birth[0]:04d}{birth[1]:02d}{birth[2]:02d}{order:03d}"
    return bytes(checked(np.array([[int(figure) for figure in digits]]))[0]).decode()


def _another_id(rng: np.random.Generator, one: dict) -> str:  # type: ignore[type-arg]
    """Issued elsewhere, of the same sex; half of them with another birth date."""
    year, month, day = one["birth"]
    birth = (year, month, day) if rng.random() < 0.5 else (year + int(rng.integers(1, 4)), month, day)
    return _id(str(rng.choice([653129, 510704, 632522])), birth, int(rng.integers(0, 500)) * 2 + (1 - one["female"]))


def _damaged(rng: np.random.Generator, number: str, habits: Habits) -> str | None:
    edges = np.cumsum(
        [habits.typo, habits.swapped, habits.missing, habits.dropped, habits.old_15, habits.zeros, habits.letters, 0.01]
    )
    kind = int(np.searchsorted(edges, rng.random(), side="right"))
    at = int(rng.integers(0, 17))
    if kind == 0:
        return number[:at] + str((int(number[at]) + int(rng.integers(1, 10))) % 10) + number[at + 1 :]
    if kind == 1:
        at = int(rng.integers(6, 16))
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if kind == 2:
        return None if rng.random() < 0.7 else str(rng.choice(["无", "不详", "0", "待补"]))
    if kind == 3:
        return number[:at] + number[at + 1 :] if rng.random() < 0.5 else number[:at] + number[at] + number[at:]
    if kind == 4 and number[6:8] == "19":
        return number[:6] + number[8:17]
    if kind == 5:
        return number[:15] + "000"
    if kind == 6:
        return number.replace("0", "O", 1)
    if kind == 7:
        return "".join(chr(ord(char) + 0xFEE0) for char in number)
    return number.lower() if rng.random() < 0.1 else number


def _spelled(rng: np.random.Generator, name: str, habits: Habits) -> str:
    if "·" in name:
        if rng.random() < habits.other_order:
            name = "·".join(reversed(name.split("·")))
        return name.replace("·", str(rng.choice(["·", "·", "·", ".", "•", "・", " ", ""])))
    if rng.random() < habits.name:
        at = len(name) - 1 if rng.random() < 0.7 else int(rng.integers(0, len(name)))
        for pair in rng.permutation(np.array(ALIKE + SOUND_ALIKE)).tolist():
            if name[at] in pair:
                return name[:at] + pair[1 - pair.index(name[at])] + name[at + 1 :]
    if rng.random() < habits.old_forms:
        return "".join(OLD_FORMS.get(char, char) for char in name)
    return f"{name[0]} {name[1]}" if len(name) == 2 and rng.random() < 0.15 else name


def _day(rng: np.random.Generator, birth: tuple[int, int, int]) -> str:
    year, month, day = birth
    return str(
        rng.choice(
            [
                f"{year}-{month:02d}-{day:02d}",
                f"{year}.{month}.{day}",
                f"{year}年{month}月{day}日",
                f"{year}{month:02d}{day:02d}",
                f"{year}/{month}/{day}",
            ]
        )
    )


def _place(rng: np.random.Generator, village: int) -> str:
    pool = "东西南北上中下前后大小新老青白红黄石沙河溪"
    name = pool[village % 21] + pool[village // 21 % 21] + (pool[village // 441 % 21] if village >= 441 else "")
    return str(
        rng.choice(
            [
                name + "村",
                name + "村",
                name + "村",
                name,
                name + "村委会",
                f"{name}村{int(rng.integers(1, 9))}组",
                "青山镇" + name + "村",
            ]
        )
    )
