"""How the kernels of this package are compiled: cached on disk, without the interpreter's lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import ParamSpec, TypeVar, cast

import numba

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """numba's nopython mode with strict floating point: the same bytes on every run.

    Where no cache can be written it compiles in every process.
    """
    try:
        return cast(
            Callable[Parameters, Result], numba.njit(cache=True, nogil=True, error_model="numpy")(function)
        )
    except RuntimeError:  # a read-only installation, and no home to write to
        return cast(Callable[Parameters, Result], numba.njit(nogil=True, error_model="numpy")(function))


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
