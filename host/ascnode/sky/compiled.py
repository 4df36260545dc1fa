"""Compiled kernels, cached on disk where there is a place for it."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, compiled at its first call and run without the GIL; division by zero gives inf or nan, as in NumPy.

    Where no cache can be written it compiles in every process.
    """
    try:
        return cast(
            Callable[Parameters, Result], numba.njit(cache=True, nogil=True, error_model="numpy")(function)
        )
    except RuntimeError:  # a read-only installation, and no home to write to
        return cast(Callable[Parameters, Result], numba.njit(nogil=True, error_model="numpy")(function))
