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
