"""People in lists, with the errors that lists have: seeded, vectorised, sized by the thousand or the million.

``make_lists(size, mix, seed)`` gives records as the engine takes them (text columns, NULL where nothing is written) and, for each, its
true person. The mixes ``STANDARD`` and ``HARD`` are those of the project's performance targets; rates are shares of all records.
All persons are invented: names are drawn from surnames and given characters, IDs carry sound check digits but belong to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇翟解尉盖"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲华国建红志玉金海林春梅荣德生云永成清光凤祥福东小龙新宝珍莲菊香翠花"
    "庆全贵有才发财富根水木火土山石田野江河湖天地日月星辰风雨雪冰霜松柏竹桃李杏梨枝叶青蓝紫白黑长远大中正直义信仁礼智勤俭忠孝"
    "廉洁安康健乐欢喜悦怡欣然子浩宇轩梓涵佳怡雨婷思琪俊豪晨曦瑞雪晓彤嘉欣博文诗雅鑫淼婉清若兰启航立业振兴少波晶莹燕飞鸿雁鹏"
    "程万里志远学良绍先继承世昌银贤顺友善美淑惠珠素琴巧云彩凤焕章景泰耀祖传家运转时来树培炳坤乾元亨利贞道德益民为公爱社会主"
)
POPULAR = (
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 秀英 桂英 秀兰 玉兰 桂兰 秀珍 玉梅 建国 建华 建军 志强 志明 国强 玉珍 凤英"
    " 淑珍 春梅 海燕 小红 婷婷 文 辉 鹏 华 红 玲 斌 波 健 梅 俊 浩 宇 琴 燕 玉英 丽华 志刚 子涵 欣怡 浩然"
).split()
# characters that typists take for one another by their look
ALIKE = (
    "未末 己已巳 治冶 晖辉 华桦 红虹 娟绢 土士 日曰 天夭 千干 人入 刀力 木术 大太 王玉 田由甲申 兰三 云去 平半 建健 国固 志忘 林材"
    " 春舂 梅海 荣营 德得 永水 成戍 清请情 光先 凤风 祥样 福富 东车 龙尤 宝室 珍诊 莲连 菊掬 香杳 翠粹 花化 庆厌 全金 贵贲 根银"
    " 江汪 河何 湖潮 星皇 雨两 雪霜 松忪 竹行 桃姚 李季 杏呆 枝技 青责 蓝篮 长张 远近 中申 正止 直真 义叉 信倍 仁仕 礼扎 智暂"
    " 洋详 磊嘉 敏教 静净 勇男 艳绝 杰木 涛祷 明朋 超起 霞露 刚钢 桂挂 文丈 玲铃 伟苇 芳劳 娜哪 秀禿 英央 丽两 强弹"
).split()


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of records with each error. ``popular``, ``twins``: shares of persons."""

    typo: float = 0.02
    swapped: float = 0.01
    missing: float = 0.01
    old_15: float = 0.005
    two_wrong: float = 0.0
    length: float = 0.0
    excel_zeros: float = 0.0
    members_id: float = 0.0
    second_id: float = 0.0
    name: float = 0.02
    name_broken: float = 0.0
    other_phone: float = 0.20
    other_account: float = 0.10
    no_phone: float = 0.05
    no_account: float = 0.05
    lower_x: float = 0.03
    padded: float = 0.10
    village: float = 0.03
    later: float = 0.30
    twins: float = 0.004
    popular: float = 0.25
    heaped: float = 0.20


STANDARD = Mix()
HARD = Mix(
    typo=0.03,
    missing=0.05,
    two_wrong=0.005,
    length=0.003,
    excel_zeros=0.01,
    members_id=0.004,
    second_id=0.002,
    name=0.03,
    name_broken=0.003,
    other_phone=0.35,
    other_account=0.25,
)


KINDS = (
    "typo",
    "swapped",
    "missing",
    "old_15",
    "two_wrong",
    "length",
    "excel_zeros",
    "members_id",
    "second_id",
    "sound",
)


@dataclass(frozen=True, slots=True)
class Lists:
    """``records``: id_no, name, birth_date, village, phone, account_no (text). ``person``: the truth, one number a record."""

    records: pa.Table
    person: np.ndarray
    second_id: np.ndarray  # records that carry a second genuine ID
    kind: np.ndarray  # what is wrong with the ID: position in ``KINDS``


@lru_cache(maxsize=1)
def _homophones() -> dict[str, str]:
    """Character → characters of the same toneless sound."""
    from pypinyin import Style, pinyin

    sounds: dict[str, str] = {}
    common = dict.fromkeys(chr(c) for b in range(0xB0, 0xD8) for t in range(0xA1, 0xFF) for c in map(ord, bytes([b, t]).decode("gb2312", "ignore")))  # fmt: skip
    for char in [*common, *SURNAMES, *GIVEN]:
        sound = pinyin(char, style=Style.NORMAL)[0][0]
        if char not in sounds.get(sound, ""):
            sounds[sound] = sounds.get(sound, "") + char
    return {char: group for group in sounds.values() for char in group}


def checked(digits: np.ndarray) -> np.ndarray:
    """17 columns of digits as 18 ASCII bytes with their check character."""
    out = np.empty((len(digits), 18), dtype=np.uint8)
    out[:, :17] = digits + 48
    out[:, 17] = CHECKS[(digits @ WEIGHTS) % 11]
    return out


def _digits(number: np.ndarray, width: int) -> np.ndarray:
    return (number[:, None] // 10 ** np.arange(width - 1, -1, -1)) % 10


def _ids(rng: np.random.Generator, birth: np.ndarray, areas: np.ndarray, order: np.ndarray | None = None) -> np.ndarray:
    days = birth.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    number = (
        days.astype("datetime64[Y]").astype(int) * 10000
        + 19700000
        + (months.astype(int) % 12 + 1) * 100
        + (days - months).astype(int)
        + 1
    )
    order = rng.integers(1, 1000, len(birth)) if order is None else order
    return np.hstack([_digits(areas, 6), _digits(number, 8), _digits(order, 3)])


def _phones(rng: np.random.Generator, size: int) -> np.ndarray:
    heads = np.array([130, 131, 135, 136, 137, 138, 139, 150, 151, 158, 159, 177, 180, 186, 189, 199])
    return heads[rng.integers(0, len(heads), size)] * 10**8 + rng.integers(0, 10**8, size)


def _accounts(rng: np.random.Generator, size: int) -> np.ndarray:
    return 6210_0000_0000_0000 + rng.integers(0, 10**12, size)


@dataclass(slots=True)
class _World:
    id17: np.ndarray
    surname: np.ndarray
    given: np.ndarray
    birth: np.ndarray
    village: np.ndarray
    phone: np.ndarray
    account: np.ndarray
    home: np.ndarray
    partner: np.ndarray  # another member of the household, or the person itself


def _world(rng: np.random.Generator, size: int, mix: Mix, region: int) -> _World:
    homes = rng.choice([1, 2, 3, 4, 5], p=[0.25, 0.25, 0.25, 0.15, 0.10], size=size)
    home = np.repeat(np.arange(size), homes)[:size]
    first = np.flatnonzero(np.r_[True, home[1:] != home[:-1]])
    place = np.arange(size) - first[home]
    households = len(first)
    weight = 1 / (np.arange(len(SURNAMES)) + 8.0)
    surnames = np.array(list(SURNAMES))[rng.choice(len(SURNAMES), p=weight / weight.sum(), size=households)]
    surname = surnames[home]
    spouse = place == 1
    surname[spouse] = np.array(list(SURNAMES))[rng.choice(len(SURNAMES), p=weight / weight.sum(), size=spouse.sum())]
    pool = np.array(list(dict.fromkeys(GIVEN)))
    odds = 1 / (np.arange(len(pool)) + 40.0)
    odds /= odds.sum()
    one, two = pool[rng.choice(len(pool), p=odds, size=size)], pool[rng.choice(len(pool), p=odds, size=size)]
    children = place >= 2
    shared = pool[rng.choice(len(pool), p=odds, size=households)]  # the character of a generation
    share = children & (rng.random(households) < 0.4)[home]
    one[share] = shared[home[share]]
    given = np.where((rng.random(size) < 0.8) | share, np.char.add(one, two), two)
    popular = rng.random(size) < mix.popular
    given[popular] = np.array(POPULAR)[rng.integers(0, len(POPULAR), popular.sum())]
    age = rng.integers(20, 92, households)[home] * 365 + rng.integers(0, 365, size)
    age = np.where(spouse, age + rng.integers(-1500, 1500, size), age)
    age = np.where(children, np.maximum(age - rng.integers(7000, 12000, size), rng.integers(30, 4000, size)), age)
    birth = np.datetime64("2026-09-30") - np.maximum(age, 30)
    heap = rng.random(size) < mix.heaped
    birth[heap] = birth[heap].astype("datetime64[M]").astype("datetime64[D]") + rng.choice([0, 14], heap.sum())
    order = rng.integers(1, 1000, size)
    local = region + np.arange(1, 2 + max(1, size // 100_000))
    other = region - 900 + np.arange(0, 900, 7)
    areas = np.where(rng.random(size) < 0.8, rng.choice(local, size), rng.choice(other, size))
    twin = np.flatnonzero((np.r_[home[1:], -1] == home) & (place >= 2 if size > 100 else place >= 0))
    twin = rng.permutation(twin)[: int(size * mix.twins / 2)]
    twin = twin[~np.isin(twin - 1, twin)]
    birth[twin + 1], areas[twin + 1] = birth[twin], areas[twin]
    order[twin + 1] = order[twin] % 997 + rng.choice([1, 2], len(twin))
    surname[twin + 1] = surname[twin]
    same = rng.random(len(twin)) < 0.5
    given[(twin + 1)[same]] = np.char.add(one[twin[same]], two[twin[same] + 1])
    given[twin[same]] = np.char.add(one[twin[same]], two[twin[same]])
    heir = np.flatnonzero(children & (rng.random(size) < 0.002))  # a son with his father's name
    surname[heir], given[heir] = surname[first[home[heir]]], given[first[home[heir]]]
    id17 = _ids(rng, birth, areas, order)
    key = id17 @ 10 ** np.arange(16, -1, -1)
    for _ in range(100):
        _, index = np.unique(key, return_index=True)
        again = np.setdiff1d(np.arange(size), index)
        if not len(again):
            break
        id17[again] = _ids(rng, birth[again], areas[again])
        key[again] = id17[again] @ 10 ** np.arange(16, -1, -1)
    villages = max(3, size // 900)
    village = rng.integers(0, villages, households)[home]
    phone = np.where((rng.random(households) < 0.5)[home], _phones(rng, households)[home], _phones(rng, size))
    account = np.where((rng.random(households) < 1 / 3)[home], _accounts(rng, households)[home], _accounts(rng, size))
    last = np.r_[first[1:], size][home]
    members = last - first[home]
    partner = first[home] + (place + 1 + rng.integers(0, np.maximum(members - 1, 1))) % members
    return _World(id17, surname, given, birth, village, phone, account, home, partner)


def _village_names(count: int) -> np.ndarray:
    pool = "东西南北上下前后大小新老青白红黄石沙河溪山岭坪湾桥塘井店庙寨堡坡沟洼岗林杨柳桃杏竹松柏马牛羊龙凤虎鹤"
    names = [a + b + c for c in ("", "家", "子", "口", "头") for a in pool for b in pool if a != b]
    times = -(-count // len(names))
    return np.array([name + ("" if not n else str(n)) for n in range(times) for name in names][:count])


def make_lists(size: int, mix: Mix, seed: int, *, region: int = 421000) -> Lists:
    """``size`` records of about ``size * (1 - mix.later)`` persons, in random order.

    Two regions 2000 apart share no number: lists of both have the people of both.
    """
    rng = np.random.default_rng(seed)
    persons = round(size * (1 - mix.later))
    world = _world(rng, persons, mix, region)
    person = np.r_[np.arange(persons), rng.integers(0, persons, size - persons)]
    person = rng.permutation(person)
    digits = world.id17[person]
    roll = rng.random(size)
    edges = np.cumsum([getattr(mix, kind) for kind in KINDS[:-1]])
    kind = np.searchsorted(edges, roll, side="right")  # 0..8 the errors in that order, 9 sound
    member = kind == 7
    digits[member] = world.id17[world.partner[person[member]]]
    second = kind == 8
    moved = world.birth[person[second]] + np.where(rng.random(second.sum()) < 0.3, 365 * rng.integers(1, 4, second.sum()), 0)  # fmt: skip
    digits[second] = _ids(rng, moved, region - 900 + 7 * rng.integers(0, 128, second.sum()))
    text = np.zeros((size, 19), dtype=np.uint8)
    text[:, :18] = checked(digits)
    _damage(rng, text, kind)
    strings = text.view("S19").ravel().astype("U19")
    lower = rng.random(size) < mix.lower_x
    strings[lower] = np.char.lower(strings[lower])
    old = (kind == 3) & (digits[:, 6] == 1) & (digits[:, 7] == 9)
    strings[old] = np.char.add(_part(text, old, 0, 6), _part(text, old, 8, 17))
    names = _names(rng, world.surname[person], world.given[person], mix)
    villages = np.char.add(_village_names(int(world.village.max()) + 1), "村")[world.village[person]]
    otherwise = rng.random(size) < mix.village
    villages = np.where(otherwise, _otherwise(rng, villages), villages)
    phone = np.where(rng.random(size) < mix.other_phone, _phones(rng, size), world.phone[person])
    account = np.where(rng.random(size) < mix.other_account, _accounts(rng, size), world.account[person])
    told = (rng.integers(0, 12, size) % 2).astype(bool)  # half of the programmes write the birth date

    def text_of(values: np.ndarray, absent: np.ndarray) -> pa.Array:
        return pa.array(values, pa.string(), mask=absent)

    records = pa.table(
        {
            "id_no": text_of(strings, kind == 2),
            "name": pa.array(names, pa.string()),
            "birth_date": text_of(world.birth[person].astype(str), ~told),
            "village": pa.array(villages, pa.string()),
            "phone": text_of(phone.astype(str), rng.random(size) < mix.no_phone),
            "account_no": text_of(account.astype(str), rng.random(size) < mix.no_account),
        }
    )
    return Lists(records, person, second, kind)


def _part(text: np.ndarray, rows: np.ndarray, start: int, stop: int) -> np.ndarray:
    return np.ascontiguousarray(text[rows, start:stop]).view(f"S{stop - start}").ravel().astype(f"U{stop - start}")


def _damage(rng: np.random.Generator, text: np.ndarray, kind: np.ndarray) -> None:
    """One digit wrong, neighbours swapped, two wrong, a digit dropped or doubled, Excel's zeros: in place."""

    def wrong(rows: np.ndarray, places: np.ndarray) -> None:
        before = text[rows, places]
        text[rows, places] = np.where(
            before == ord("X"),
            48 + rng.integers(0, 10, len(rows)),
            48 + (before - 48 + rng.integers(1, 10, len(rows))) % 10,
        )

    one = np.flatnonzero(kind == 0)
    wrong(one, rng.integers(0, 18, len(one)))
    swap = np.flatnonzero(kind == 1)
    differs = text[swap, 1:17] != text[swap, :16]
    place = np.argmax(rng.random(differs.shape) * differs, axis=1)
    text[swap, place], text[swap, place + 1] = text[swap, place + 1], text[swap, place].copy()
    both = np.flatnonzero(kind == 4)
    places = np.argsort(rng.random((len(both), 17)), axis=1)[:, :2]
    for column in (0, 1):
        wrong(both, places[:, column])
    for row in np.flatnonzero(kind == 5):
        at = int(rng.integers(0, 17))
        longer = np.insert(text[row, :18], at, text[row, at]) if rng.random() < 0.5 else np.r_[np.delete(text[row, :18], at), 0, 0]  # fmt: skip
        text[row] = longer
    text[kind == 6, 15:18] = 48


def _names(rng: np.random.Generator, surname: np.ndarray, given: np.ndarray, mix: Mix) -> np.ndarray:
    names = np.char.add(surname, given).astype("U16")
    alike = {char: group for group in ALIKE for char in group}
    sounds = _homophones()
    for row in np.flatnonzero(rng.random(len(names)) < mix.name):
        name = str(names[row])
        place = int(rng.integers(0, len(name))) if rng.random() < 0.2 else len(name) - 1
        look = alike.get(name[place], "") if rng.random() < 0.5 else ""
        others = [c for c in look or sounds.get(name[place], "") if c != name[place]]
        if others:
            names[row] = name[:place] + others[int(rng.integers(0, len(others)))] + name[place + 1 :]
    if mix.name_broken:
        from pypinyin import lazy_pinyin

        for row in np.flatnonzero(rng.random(len(names)) < mix.name_broken):
            name = str(names[row])
            names[row] = name[:-1] + ("?" if rng.random() < 0.5 else lazy_pinyin(name[-1])[0])
    padded = (np.char.str_len(names) == 2) & (rng.random(len(names)) < mix.padded)
    pairs = names[padded].astype("U2").view("U1").reshape(-1, 2)
    space = rng.choice(np.array([" ", "　", "  "]), len(pairs))
    names[padded] = np.char.add(np.char.add(pairs[:, 0], space), pairs[:, 1])
    return names


def _otherwise(rng: np.random.Generator, villages: np.ndarray) -> np.ndarray:
    """The same village as another office writes it; a tenth of them with a character wrong."""
    bare = np.char.rstrip(villages, "村")
    tails = rng.choice(np.array(["", "村委会", "村3组", "村民委员会", "行政村"]), len(villages))
    out = np.char.add(bare, tails)
    broken = rng.random(len(villages)) < 0.1
    return np.where(broken, np.char.add("新", out), out)


def pair_scores(person: np.ndarray, found: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 of the pairs of records put together."""

    def pairs(groups: np.ndarray) -> int:
        counts = np.unique(groups, return_counts=True)[1].astype(np.int64)
        return int((counts * (counts - 1) // 2).sum())

    both = pairs(person.astype(np.int64) * (int(found.max()) + 1) + found)
    said, true = pairs(found), pairs(person)
    precision, recall = (both / said if said else 1.0), (both / true if true else 1.0)
    return precision, recall, 2 * precision * recall / (precision + recall) if both else 0.0
