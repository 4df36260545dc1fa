"""Work shared out over the cores: numba's kernels run without the interpreter's lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise


def in_threads(work: Callable[[int, int], object], rows: int) -> None:
    """Calls work(first, end) over consecutive parts of 0..rows; each part writes only its own rows."""
    parts = min(_processors(), rows)
    bounds = [rows * i // parts for i in range(parts + 1)] if parts else [0]
    if parts <= 1:
        work(0, rows)
        return
    for done in [_pool().submit(work, a, b) for a, b in pairwise(bounds)]:
        done.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_processors(), thread_name_prefix="mesh")


def _processors() -> int:
    return os.cpu_count() or 1
