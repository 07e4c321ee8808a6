"""The shape of a bank's file (代发格式), as ``banks/*.toml`` has it: one table that writes and reads."""

from __future__ import annotations

from typing import Literal

from jiuzhu_cli.policy.model import Shape


class BankColumn(Shape):
    """One column of a bank's file; the same table encodes and decodes.

    ``source`` of a line: line_no, payee_name, payee_id_no, person_name, person_id_no (who it is for), account_no, amount, bank_name, bank_code (联行号), branch, purpose,
    programme, persons, month, date (of the export), phone, address, own_flag; of a return also result, reason, paid_amount; of a header or trailer:
    lines, total, month, date, sequence, batch, payer_name, payer_account, agreement_no. What is the same everywhere:
    ``const:文字`` from the layout, ``setting:名`` from the workspace's ``[payment.constants]``.
    """

    name: str  # header text
    source: str
    width: int = 0  # fixed-width only: bytes
    align: Literal["left", "right"] = "left"
    pad: str = " "
    decimals: int = 2
    point: bool = True  # False: the amount without a point (``decimals`` 2: in 分)
    zeros: int = 0  # delimited: numbers are filled with zeros in front to so many digits
    text: bool = False  # workbooks: the amount as text, where the bank's form wants it so
    style: str = ""  # of month and date: yyyyMMdd, yyyy-MM-dd, yyyy/MM/dd, yyyyMM …; '' as they are
    required: bool = False  # a line (or a setting) without it cannot be sent
    only: Literal["", "own", "other"] = ""  # filled for payees of the bank itself, or of other banks, only
    own: str = ""  # own_flag: how a payee of the bank itself is marked
    other: str = "1"
    default: str = ""  # of ``setting:``, where the workspace says nothing


Container = Literal["xlsx", "xls", "delimited", "fixed", "pain001", "none"]
Certainty = Literal["verified", "partial", "inferred", "unknown"]


class BankLayout(Shape):
    """A bank's file. ``container`` none: no software but the bank's can make it; ``says`` tells what is known and what to do.

    ``certainty``: read in a source; read in part; inferred from such; nothing found, a customary form.
    """

    code: str
    name: str
    banks: tuple[str, ...] = ()  # words of 开户银行 that route a line here
    routed: bool = True  # False: only where the workspace names it (``[payment] banks``, ``default_bank``)
    own_codes: tuple[
        str, ...
    ] = ()  # 行别, the first digits of the bank's own 联行号; () those of ``banks`` by bank_names.toml
    other_bank: Literal["", "same", "separate", "refused"] = ""  # payees of other banks: '' not told apart
    separate_names: tuple[str, str] = ("本行", "跨行")  # in the names of the two files
    separate_by: Literal["bank", "account"] = "bank"  # account: by the numbers' first digits, ``setting:own_prefixes``
    container: Container
    encoding: Literal["gbk", "gb18030", "utf-8", "utf-8-sig"] = "gbk"
    delimiter: str = "|"  # one character or several
    end_delimiter: bool = False  # one more behind the last column
    line_end: str = "\r\n"
    header: bool = False
    sheet: str = "Sheet1"  # workbooks only
    title: str = ""  # workbooks only: a title row above the header
    summary: tuple[BankColumn, ...] = ()  # one line with totals: lines, total, month, date …
    summary_last: bool = False  # the summary closes the file instead of opening it
    trailer: tuple[BankColumn, ...] = ()  # a closing line beside an opening ``summary``
    columns: tuple[BankColumn, ...] = ()
    returns: tuple[BankColumn, ...] = ()  # empty: the exported columns with 结果 and 失败原因 behind them
    returns_header: bool = False
    returns_summary: bool = False  # the return carries the same summary line
    returns_only_failures: bool = (
        False  # the bank names what failed only; the rest counts as paid once another person confirms it
    )
    success: tuple[str, ...] = ("成功",)
    failure: tuple[str, ...] = ("失败",)
    max_lines: int = 0
    max_file_fen: int = 0
    max_line_fen: int = 0
    combine: bool | None = None  # one payee's lines are one transfer (一卡通合并); None: as jiuzhu.toml says
    message: str = "pain.001.001.09"  # pain001 only
    rare: Literal["", "pinyin", "split", "image"] = ""  # how the bank wants names whose characters the encoding lacks
    file_name: str = "{bank}_{month}_{sequence}"
    source: str
    certainty: Certainty = "unknown"
    says: str = ""  # what people must know of it

    @property
    def makes_files(self) -> bool:
        """Whether this program can write the bank's file."""
        return self.container != "none"

    @property
    def own(self) -> bool:
        """Whether the bureau wrote it (or changed the shipped one): it goes before others for the same bank."""
        return self.file.startswith("policy/")

    @property
    def is_book(self) -> bool:
        return self.container in ("xlsx", "xls")

    @property
    def opening(self) -> tuple[BankColumn, ...]:
        """The columns of the line with totals before the lines; () when there is none."""
        return () if self.summary_last else self.summary

    @property
    def closing(self) -> tuple[BankColumn, ...]:
        """The columns of the line with totals behind the lines; () when there is none."""
        return self.summary if self.summary_last else self.trailer
