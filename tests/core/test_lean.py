"""What is kept from loading is there all the same when somebody wants it."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_masked_arrays_are_loaded_when_one_is_made() -> None:
    told = run(
        """
        import sys
        import numpy as np
        import pyarrow as pa
        from jiuzhu_cli.core.lean import without_masked

        without_masked()
        plain = pa.array(np.arange(3)).to_pylist()
        before = "numpy.ma" in sys.modules
        masked = np.ma.masked_array([1, 2], [0, 1])
        without_masked()
        print(plain, before, pa.array(masked).to_pylist(), np.ma is sys.modules["numpy.ma"])
        """
    )
    assert told == "[0, 1, 2] False [1, None] True"


def test_sets_of_characters_worked_out_once_match_as_ever() -> None:
    told = run(
        r"""
        import re
        from jiuzhu_cli.core.lean import share_charsets

        texts = ["东风村3组", "Ａb王", "㐀々〇", "·李", "𠮷田", "x", ""]
        patterns = ["[一-鿿]+", "^[一-鿿]{2,4}$", "[一-鿿㐀-䶿々〇\U00020000-\U0003ffff]+", "[^一-鿿]", "(?i)[a-zＡ-Ｚ]+", "[a-z]"]

        def found():
            re.purge()
            return [[re.findall(pattern, text) for text in texts] for pattern in patterns * 2]

        before = found()
        share_charsets()
        print(found() == before, any(any(one) for one in before))
        """
    )
    assert told == "True True"


def test_methods_of_dataclasses_compiled_later_do_as_ever() -> None:
    told = run(
        """
        import dataclasses, pickle
        from jiuzhu_cli.core.lean import put_off_methods

        put_off_methods()

        @dataclasses.dataclass(frozen=True, slots=True)
        class Frozen:
            name: str
            amount: int = 0

        @dataclasses.dataclass(order=True)
        class Free:
            name: str
            inner: "Free | None" = None

        class Child(Frozen):
            pass

        one, same, other = Frozen("a", 1), Frozen("a", 1), Frozen("b")
        said = [one == same, one != other, one == 1, hash(one) == hash(same), {one, same, other} == {other, one}, repr(one)]
        for change in (lambda: setattr(one, "name", "x"), lambda: delattr(one, "name"), lambda: setattr(Child("c"), "name", "x")):
            try:
                change()
                said.append("changed")
            except dataclasses.FrozenInstanceError as error:
                said.append(str(error))
        free = Free("a")
        free.inner = free
        said += [repr(free), Free("a") < Free("b"), Free.__hash__, Free.__eq__.__name__, pickle.loads(pickle.dumps(free)).name]
        print(*said, sep="|")
        """
    )
    assert told.split("|") == [
        "True", "True", "False", "True", "True", "Frozen(name='a', amount=1)", "cannot assign to field 'name'",
        "cannot delete field 'name'", "cannot assign to field 'name'", "Free(name='a', inner=...)", "True", "None", "__eq__", "a",
    ]  # fmt: skip


def test_numpy_finds_distinct_values_without_masked_arrays() -> None:
    told = run(
        """
        import sys
        import numpy as np
        from jiuzhu_cli.core.lean import without_masked

        without_masked()
        print(np.unique(np.array([2, 1, 2])).tolist(), "numpy.ma" in sys.modules)
        """
    )
    assert told == "[1, 2] False"


def test_libraries_do_as_ever_without_their_help_texts() -> None:
    told = run(
        """
        import sys
        from jiuzhu_cli.core.lean import _STAND_INS, put_stand_ins

        put_stand_ins()
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc
        from pydantic import BaseModel

        class Shape(BaseModel):
            size: int = 1

        texts = pa.array(["b", None, "a"])
        print(pc.sort_indices(texts, null_placement="at_start").to_pylist(), pc.split_pattern(texts, pattern="b").to_pylist()[0])
        print(np.unique([2, 1, 2]).tolist(), np.float64(1.5).hex(), Shape.model_validate({"size": "3"}).size)
        print("pydoc" in sys.modules, "importlib.metadata" in sys.modules)
        import pyarrow.vendored.docscrape as real
        print(real.NumpyDocString("x").__class__.__name__ == "dict", hasattr(real.ParseError, "__mro__"), hasattr(real, "nothing"))
        from numpy._core._add_newdocs import add_newdoc
        print(callable(add_newdoc))
        """
    )
    assert told.splitlines() == [
        "[1, 2, 0] ['', '']",
        "[1, 2] 0x1.8000000000000p+0 3",
        "False False",
        "True True False",
        "True",
    ]
