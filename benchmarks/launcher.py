"""``launcher.py FIGURES COMMAND…``: runs the command, writes ``[exit code, seconds, CPU seconds, peak MB]`` to FIGURES.

The peak is that of the command and all its descendants together at one moment: their own pages, and the shared ones (libraries)
once. Where the system does not tell of processes it is the largest single one.
"""

import json
import os
import sys
import threading
import time

EVERY = 0.02  # seconds between two looks
PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(pid):
    found = [pid]
    for one in found:
        try:
            for task in os.listdir(f"/proc/{one}/task"):  # noqa: PTH208
                with open(f"/proc/{one}/task/{task}/children") as file:  # noqa: PTH123  (pathlib would cost more than the rest)
                    found += map(int, file.read().split())
        except OSError:  # it has just ended
            continue
    return found


def look(pid):
    """Bytes of the process and its descendants: private pages of all, shared pages of the one with most of them."""
    private = shared = 0
    for one in descendants(pid):
        try:
            with open(f"/proc/{one}/statm") as file:  # noqa: PTH123
                _, resident, common = map(int, file.read().split()[:3])
        except OSError:
            continue
        private += resident - common
        shared = max(shared, common)
    return (private + shared) * PAGE


def watch(pid, peak, done):
    while not done.wait(EVERY):
        peak[0] = max(peak[0], look(pid))


started = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
peak, done = [0], threading.Event()
watcher = threading.Thread(target=watch, args=(child, peak, done))
watcher.start()
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - started
done.set()
watcher.join()
unit = 1 if sys.platform == "darwin" else 1024
figures = [
    os.waitstatus_to_exitcode(status),
    seconds,
    usage.ru_utime + usage.ru_stime,
    max(peak[0], usage.ru_maxrss * unit) / 2**20,
]
with open(sys.argv[1], "w") as file:  # noqa: PTH123
    json.dump(figures, file)
