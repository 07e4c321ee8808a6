"""The shapes of procedure as data: review classes and cycles (``cycles.toml``), time limits and notices (``deadlines.toml``)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from jiuzhu_cli.policy.model import Shape

Subject = Literal["progress", "proposal", "doubt", "death", "posting"]


class ReviewTask(Shape):
    """What is done again and again for a case: 复核, 走访, 生存认证. Who does it has done the tasks of ``covers``, too.

    ``proof``: it counts as done only where a record says so in words (认证), not by a mere visit.
    """

    id: str
    name: str
    covers: tuple[str, ...] = ()
    proof: bool = False
    note: str = ""


class ReviewClass(Shape):
    """A class of cases (A、B、C 类, 红黄绿) and the words of lists that mean it."""

    id: str
    name: str
    words: tuple[str, ...]


class Cycle(Shape):
    """How often a task is due. Of the cycles that fit a case the one with the most conditions decides; of equals the later one.

    ``grade``: a class; '' any, also an unknown one. ``category``: 城市/农村 …; ``towns``: names. Months from ``parameter`` (months), from
    ``per_year`` (a parameter: times a year), or ``months`` itself.
    """

    id: str
    on: tuple[str, ...] = ()  # programmes; () every one that is reviewed
    task: str = "review"
    grade: str = ""
    category: str = ""
    towns: tuple[str, ...] = ()
    parameter: str = ""
    per_year: str = ""
    months: int = 0
    switch: str = ""  # local switch; '' always on
    since: date | None = None
    until: date | None = None
    note: str = ""
    source: str


class Instead(Shape):
    """Another limit under a condition: ``special`` (the line says 特殊情况) or a local ``switch``."""

    limit: str
    special: bool = False
    switch: str = ""


class DeadlineStep(Shape):
    """One time limit: from one event to the first of others. ``limit``: a parameter whose unit says 工作日, 日 or 月.

    ``subject`` says where the events come from: ``progress`` (办理进度台账, events by the register's own words), ``proposal`` (建议, 听取意见,
    决定, 告知), ``doubt`` (发现, 处理), ``death`` (死亡, 办结), ``posting`` (公示期满, 办结). ``at_least``: the limit is the shortest time, not the longest.
    """

    id: str
    name: str
    subject: Subject = "progress"
    on: tuple[str, ...] = ()  # programmes; () all
    actions: tuple[str, ...] = ()  # of proposals; () all
    start: str
    end: tuple[str, ...]  # any of these events ends it
    limit: str
    instead: tuple[Instead, ...] = ()
    warn: int = 0  # days left from which it is said that it soon ends; 0: as the parameter 办理时限预警日数 has it
    at_least: bool = False
    count_first: str = ""  # switch parameter: the day of the first event counts (含首日)
    by_working_days: str = ""  # switch parameter that turns 日 into 工作日
    since: date | None = None
    until: date | None = None
    source: str


class NoticeKind(Shape):
    """A written notice that a decision needs: which actions, agreed or refused; within which limit; the remedy it must name."""

    id: str
    name: str
    actions: tuple[str, ...]
    refused: bool = False  # the notice of a proposal that was not agreed to
    limit: str
    remedy: str = ""
    source: str
