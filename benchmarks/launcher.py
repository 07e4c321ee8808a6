"""``launcher.py FIGURES COMMAND…``: runs the command, writes ``[exit code, seconds, peak MB]`` to FIGURES."""

import json
import os
import sys
import time

started = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
unit = 1024 * 1024 if sys.platform == "darwin" else 1024
with open(sys.argv[1], "w") as file:  # noqa: PTH123  (pathlib would cost more memory than the rest)
    json.dump([os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss / unit], file)
