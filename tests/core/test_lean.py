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
