"""What is planted in the quarter of ``second_hand``, and the decoys beside it. Every plant has people of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.e2e.second_hand import (
    CARE,
    ELDER,
    HOUSE,
    LEFT,
    LIVING,
    LOW,
    MARGIN,
    OCTOBER,
    OLD,
    ORPHAN,
    POOR,
    RIGID,
    SEPTEMBER,
    URGENT,
    Builder,
)


def plant_all(b: Builder) -> None:
    for plant in (doubles, doubles_with_others, deaths, missed, claims, accounts, decoys, forms_of_ids, reviews):
        plant(b)


def doubles(b: Builder) -> None:
    """Appendix A 1–3, 11, 12, and twice on the same programme: two households, two towns, city and country, two lists."""
    south, street, big, small, hill, seat, gate = b.world.towns
    new = b.people
    for town, other in ((south, south), (big, small), (street, hill)):
        one = new.elder()
        b.low(town, new.one(), one)
        b.put(POOR, other, b.poor(other, one, "分散"), part="分散" if other == south else "")
        b.plant("double", f"A1 {town}/{other}", [one], LOW, POOR)
    for programme, word in ((LIVING, "A11"), (CARE, "A12")):
        one = new.elder()
        b.put(POOR, gate, b.poor(gate, one))
        b.put(programme, big, b.single(big, one, 83 if programme == LIVING else 97, grade="二级"))
        b.certify(one, gate, 2)
        b.plant("double", word, [one], POOR, programme)
    one = new.child()
    b.low(big, new.one(), one)
    b.low(big, new.one(), new.one(), one)
    b.plant("double", "A2 one town, two households", [one], LOW, LOW)
    for first, second in ((south, street), (big, small), (hill, street)):
        one = new.one()
        b.low(first, one, new.child())
        b.low(second, one)
        b.plant("double", f"A2 {first} and {second}", [one], LOW, LOW)
    one = new.one()
    b.low(seat, one, part="城市")
    b.low(seat, new.one(), one, part="农村")
    b.plant("double", "A2 city and country of one town", [one], LOW, LOW)
    for town in (south, hill):
        one = new.one()
        b.low(town, one)
        b.put(MARGIN, big, b.margin(big, new.one(), one))
        b.plant("double", "A3", [one], LOW, MARGIN)
    for programme, make in ((POOR, b.poor), (OLD, b.old), (MARGIN, b.margin)):
        one = new.elder(1938, 1943) if programme == OLD else new.elder()
        for town in (big, small):
            b.put(programme, town, make(town, one))
        b.plant("double", f"twice {programme}", [one], programme, programme)
    for programme, yuan in ((LIVING, 83), (CARE, 97)):
        one = new.one()
        b.certify(one, hill, 2)
        for town in (small, hill):  # the department's list and the town's own
            b.put(programme, town, b.single(town, one, yuan, grade="二级"))
        if programme == LIVING:
            b.put(CARE, small, b.single(small, one, 97, grade="二级"))
        b.plant("double", f"twice {programme}: department and town", [one], programme, programme)
    one = new.one()
    for part in ("第一批", "第二批"):
        b.put(URGENT, south, b.urgent(south, one, "突发疾病住院"), part=part)
    b.plant("double", "A29 same cause in two batches", [one], URGENT, URGENT)


def doubles_with_others(b: Builder) -> None:
    """Household-level X with 刚性支出, and X, H, T with the children's and elders' programmes."""
    south, _, big, small, hill, _, _ = b.world.towns
    new = b.people
    head, member, third = new.one(), new.one(), new.child()
    b.low(big, head, member)
    b.put(RIGID, small, b.margin(small, member, third))
    b.plant("double", "A4 家庭", [head, member, third], LOW, RIGID)
    one = new.one()
    b.put(MARGIN, big, b.margin(big, one, new.child()))
    b.put(RIGID, big, b.margin(big, one))
    b.plant("double", "A4 边缘", [one], MARGIN, RIGID)
    pairs = ((POOR, ORPHAN), (POOR, LEFT), (ORPHAN, LEFT), (ORPHAN, LIVING), (LEFT, LIVING))
    for first, second in pairs:
        one = new.child()
        for programme in (first, second):
            case = (
                b.poor(hill, one)
                if programme == POOR
                else b.single(hill, one, 83 if programme == LIVING else 1300, grade="三级")
            )
            b.put(programme, hill, case)
        if LIVING in (first, second):
            b.certify(one, hill, 3)
        b.plant("double", f"{first} × {second}", [one], first, second)
    one = new.elder()
    b.certify(one, big, 1)
    b.put(ELDER, big, b.single(big, one, 120))
    b.put(CARE, big, b.single(big, one, 97, grade="一级"))
    b.plant("double", "A21 higher one", [one], ELDER, CARE)
    child = new.child()  # 低保 share + 1300 > 1300
    b.low(south, new.one(), child)
    b.put(LEFT, south, b.single(south, child, 1300))
    b.plant("double", "A8 over the cap", [child], LOW, LEFT)
    child = new.child()
    b.low(south, new.one(), child)
    b.put(LEFT, south, b.single(south, child, 300))
    b.spare("A8 under the cap", child)
    for programme in (ORPHAN, LEFT):
        child = new.child()
        b.put(programme, big, b.single(big, child, 1300))
        b.put(CARE, big, b.single(big, child, 97, grade="一级"))
        b.certify(child, big, 1)
        b.spare(f"A14/A16 {programme} with 护理补贴", child)


def deaths(b: Builder) -> None:
    south, street, big, small, hill, seat, _ = b.world.towns
    new = b.people
    styles = ["2026年7月3日", "2026.7.3", 20260703, date(2026, 7, 3), "2026/07/03", "2026-7-3"]
    person = new.one()
    b.low(big, new.one(), person)
    dead = [(person, LOW)]
    person = new.elder()
    b.put(POOR, small, b.poor(small, person))
    dead.append((person, POOR))
    for programme in (LIVING, CARE):
        person = new.one()
        b.certify(person, big, 2 if programme == CARE else 3)
        b.put(
            programme,
            big,
            b.single(big, person, 83 if programme == LIVING else 97, grade="二级" if programme == CARE else "三级"),
        )
        dead.append((person, programme))
    person = new.elder(1937, 1944)
    b.put(OLD, street, b.old(street, person))
    dead.append((person, OLD))
    person = new.one()
    b.put(MARGIN, hill, b.margin(hill, new.one(), person))
    dead.append((person, MARGIN))
    person = new.one()
    b.put(URGENT, big, b.urgent(big, person))
    dead.append((person, URGENT))
    person = new.one()
    b.put(HOUSE, seat, b.house(seat, person, "一般户"))
    dead.append((person, HOUSE))
    for number, (person, programme) in enumerate(dead):
        b.deaths.append((person, styles[number % len(styles)], "2026-08-01" if number % 3 else None))
        b.plant("after_event", f"dead in July, {programme}", [person], programme)
    person = new.one()
    b.low(south, person, new.child())
    b.cremations.append((person, "2026年9月2日"))
    b.plant("after_event", "only the cremation is known", [person], LOW)
    person = new.elder()
    b.put(POOR, hill, b.poor(hill, person))
    b.deaths.append((person, "2026-09-30", None))
    b.plant("after_event", "died on the last day of September", [person], POOR)
    for programme in (LOW, POOR, OLD):
        person = new.elder(1938, 1944) if programme == OLD else new.elder()
        make = {LOW: lambda t, p: b.household(t, [p]), POOR: b.poor, OLD: b.old}[programme]
        b.put(programme, small, make(small, person))
        b.deaths.append((person, "2026年10月2日", None))
        b.spare("died in the month of the roll", person)


def missed(b: Builder) -> None:
    south, street, big, small, hill, seat, gate = b.world.towns
    new = b.people
    for town, grade in ((south, 4), (small, 3), (street, 4)):
        one = new.one()
        b.low(town, new.one(), one)
        b.certify(one, town, grade, "听力")
        b.plant("missed", f"B1 grade {grade}", [one], LOW, LIVING)
    for town, grade in ((big, 1), (hill, 2)):
        one = new.one()
        b.certify(one, town, grade, "视力")
        b.plant("missed", f"B2 grade {grade}, on no roll", [one], "", CARE)
    one = new.one()
    b.low(seat, one, part="农村")
    b.put(LIVING, seat, b.single(seat, one, 83, grade="二级"))
    b.certify(one, seat, 2)
    b.plant("missed", "B2 has 生活补贴 only", [one], "", CARE)
    for town, make in ((south, "low"), (big, "poor"), (small, "margin")):
        one = new.one("19461031")
        young = new.one("19461101")
        for person in (one, young):
            if make == "low":
                b.low(town, person)
            elif make == "poor":
                b.put(POOR, town, b.poor(town, person))
            else:
                b.put(MARGIN, town, b.margin(town, person))
        b.plant("missed", f"B6 80 on the month's last day ({make})", [one], "", OLD)
        b.spare("80 on the first day of the next month", young)
    old = new.elder(1938, 1944)
    b.put(POOR, gate, b.poor(gate, old))
    b.spare("80 where no 高龄 roll was imported", old)
    old = new.elder(1938, 1944)
    b.low(south, old)
    b.put(OLD, big, b.old(big, old))
    b.spare("高龄 on the roll of another town", old)


def claims(b: Builder) -> None:
    south, _, big, small, hill, _, gate = b.world.towns
    new = b.people
    words = {
        LOW: ["低保户", "农村低保"],
        POOR: ["特困户", "分散供养特困人员", "五保户"],
        MARGIN: ["低保边缘户", "边缘户"],
    }
    for programme, claimed in words.items():
        for word in claimed:
            liar, honest = new.one(), new.elder()
            b.put(HOUSE, big, b.house(big, liar, word))
            b.plant("claim", f"危改 as {word}", [liar], HOUSE, programme)
            if programme == LOW:
                b.low(big, honest)
            elif programme == POOR:
                b.put(POOR, big, b.poor(big, honest))
            else:
                b.put(MARGIN, big, b.margin(big, honest))
            b.put(HOUSE, big, b.house(big, honest, word))
            b.spare(f"危改 as {word}, truly", honest)
    for town in (south, small):
        liar, honest = new.elder(1937, 1944), new.elder(1937, 1944)
        b.put(OLD, town, b.old(town, liar, "低保"))
        b.plant("claim", "高龄 at the tier of 低保", [liar], OLD, LOW)
        b.put(OLD, town, b.old(town, honest, "低保"))
        b.low(town, honest)
        b.spare("高龄 at the tier of 低保, truly", honest)
    one = new.one()
    b.put(HOUSE, gate, b.house(gate, one, "低保户"))
    b.spare("低保户 of a town whose 低保 roll is not imported", one)
    wife, husband = new.one(), new.one()
    b.low(hill, wife, husband)
    b.put(HOUSE, hill, b.house(hill, husband, "低保户"))
    b.spare("危改 in the husband's name, 低保 in the wife's", wife, husband)


def accounts(b: Builder) -> None:
    south, _, big, small, _, _, _ = b.world.towns
    new = b.people
    first = new.elder(1937, 1944)
    second = replace(new.elder(1937, 1944), account=first.account)
    for town, person in ((small, first), (small, second)):
        b.put(OLD, town, b.old(town, person))
    b.plant("account", "two strangers, one account, 高龄", [first, second], OLD)
    first = new.one()
    second = replace(new.elder(), account=first.account)
    b.low(big, first, new.child())
    b.put(POOR, south, b.poor(south, second, "分散"), part="分散")
    b.plant("account", "strangers in two programmes and towns", [first, second], "")
    head = new.one()
    mother, child = new.elder(1938, 1944), new.child()
    b.low(big, head, mother, child)
    b.put(OLD, big, b.old(big, mother, payee=head))
    b.certify(child, big, 2)
    for programme, yuan in ((LIVING, 83), (CARE, 97)):
        b.put(programme, big, b.single(big, child, yuan, head, grade="二级"))
    b.spare("family on the head's account", head, mother, child)
    head, wife = new.one(), new.one()
    b.low(south, head, wife).payee = wife
    b.spare("payee of the same household", head, wife)


def decoys(b: Builder) -> None:
    """Legal stacking of every S pair, lapsed certificates, status changed between months, 单人保 beside 边缘."""
    south, _, big, small, hill, _, _ = b.world.towns
    new = b.people
    for town, grade in ((south, 1), (hill, 2)):
        one = new.one()
        b.low(town, new.one(), one)
        b.certify(one, town, grade)
        for programme, yuan in ((LIVING, 83), (CARE, 97)):
            b.put(programme, town, b.single(town, one, yuan, grade=f"{'一二'[grade - 1]}级"))
        b.spare("低保 with both subsidies", one)
    old = new.elder(1938, 1944)
    b.certify(old, small, 2)
    b.put(CARE, small, b.single(small, old, 97, grade="二级"))
    b.plant("missed", "B10 边缘 with a certificate", [old], MARGIN, LOW, strong=False)
    b.put(MARGIN, small, b.margin(small, new.one(), old))
    b.put(OLD, small, b.old(small, old))
    b.spare("高龄, 边缘 and 护理补贴", old)
    old = new.elder(1938, 1944)
    b.put(POOR, big, b.poor(big, old))
    b.put(OLD, big, b.old(big, old))
    b.spare("高龄 and 特困", old)
    one = new.one()
    b.low(big, one)
    b.put(URGENT, big, b.urgent(big, one))
    b.spare("临时救助 and 低保", one)
    for grade, kind, until, state in (
        (4, "肢体", "2026-06-30", "正常"),
        (2, "肢体", "2026年9月30日", "正常"),
        (2, "视力", "2031-01-01", "注销"),
    ):
        one = new.one()
        b.low(big, one)
        b.certify(one, big, grade, kind, until, state)
        b.spare(f"certificate {until} {state}", one)
    one = new.one()
    b.certify(one, south, 3, "肢体")
    b.spare("grade 3 physical, not poor", one)
    one = new.elder()
    b.put(POOR, small, b.poor(small, one))
    b.certify(one, small, 1)
    b.spare("certificate of a 特困 person", one)
    one = new.one()
    b.put(MARGIN, south, b.margin(south, one), month=SEPTEMBER)
    b.low(south, one, month=OCTOBER)
    b.spare("边缘 in September, 低保 in October", one)
    head, son, single = new.one(), new.one(), new.one()
    b.put(MARGIN, hill, b.margin(hill, head, son))
    b.low(hill, single)
    b.spare("单人保 beside 边缘", head, son, single)


def forms_of_ids(b: Builder) -> None:
    """One person under 15 and 18 digits, with x and X: the same person, whether that is wrong or right."""
    _, _, big, small, _, _, _ = b.world.towns
    new = b.people
    for check in ("", "X"):
        one = new.elder() if not check else new.one(f"1955{b.rng.randint(1, 9):02d}11", check="X")
        old_form = replace(one, shown_id=one.id_no.lower() if check else one.id_no[:6] + one.id_no[8:17])
        b.low(big, old_form)
        b.put(POOR, small, b.poor(small, one))
        b.plant("double", "A1 in two forms of the ID", [one], LOW, POOR)
        one = new.one(check=check)
        old_form = replace(one, shown_id=one.id_no.lower() if check else one.id_no[:6] + one.id_no[8:17])
        b.low(big, one)
        b.certify(one, big, 4)
        b.put(LIVING, big, b.single(big, old_form, 83, grade="四级"))
        b.spare("低保 and 生活补贴 in two forms of the ID", one)


def reviews(b: Builder) -> None:
    """Wrong money of every sort; the amounts of everybody else are exactly due."""
    _, _, big, small, hill, _, _ = b.world.towns
    new, right = b.people, b.world.reviews
    for extra, action in ((9000, "decrease"), (-7000, "increase")):
        case = b.low(big, new.one(), new.one())
        case.fen = (case.fen or 0) + extra
        right[LOW, case.people[0].id_no] = {action}
    case = b.low(hill, new.one(), new.one())
    case.facts["income"] = 60000 * 2  # 600 a head, above 543
    right[LOW, case.people[0].id_no] = {"stop", "grace"}
    for level, other in (("自理", 501), ("全护理", 205)):
        case = b.poor(small, new.elder())
        base = int(case.facts["base"])
        case.facts |= {"self_care": level, "care": other * 100}
        case.fen = base + other * 100
        b.put(POOR, small, case)
        # where the title says neither 城市 nor 农村 two sums are possible: then it is to be looked at
        right[POOR, case.people[0].id_no] = {"decrease" if level == "自理" else "increase", "check"}
    dead = new.one()
    case = b.low(small, new.one(), dead, new.child())
    b.deaths.append((dead, "2026-08-11", "2026-08-20"))
    b.plant("after_event", "member dead", [dead], LOW)
    right[LOW, case.people[0].id_no] = {"decrease", "check", "stop", "increase"}
    dead = new.elder()
    case = b.low(small, dead)
    b.deaths.append((dead, "2026.8.11", None))
    b.plant("after_event", "single head dead", [dead], LOW)
    right[LOW, dead.id_no] = {"stop"}
