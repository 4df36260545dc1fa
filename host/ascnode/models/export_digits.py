"""Writes scikit-learn's copy of the UCI digits into data/digits.npz; run once.

`python -m ascnode.models.export_digits`, which needs scikit-learn (extra `train`).
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import typer

SPLIT_SEED = 550  # chosen before any training; kept, so that figures stay comparable
TEST_COUNT = 500
DATA = Path(__file__).parent / "data"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the file's bytes must not hold today's


def split_flags(count: int) -> npt.NDArray[np.bool_]:
    """bool [count], TEST_COUNT of them true: the first of a seeded permutation. Stored, so it never moves."""
    flags = np.zeros(count, dtype=np.bool_)
    flags[np.random.default_rng(SPLIT_SEED).permutation(count)[:TEST_COUNT]] = True
    return flags


def npz_bytes(arrays: dict[str, npt.NDArray[np.generic]]) -> bytes:
    """An npz file with fixed times and attributes: equal arrays give equal bytes (for one zlib)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            body = io.BytesIO()
            np.lib.format.write_array(body, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, body.getvalue(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def main(out: Path = DATA / "digits.npz") -> None:
    """Export the digits that scikit-learn carries, with the split into training and test part."""
    from sklearn.datasets import load_digits

    source = load_digits()
    images = np.asarray(source.images, dtype=np.uint8)
    labels = np.asarray(source.target, dtype=np.uint8)
    test = split_flags(len(labels))
    out.write_bytes(npz_bytes({"images": images, "labels": labels, "test": test}))
    typer.echo(
        f"{out}: {len(labels)} images, {int(test.sum())} of them for tests, {out.stat().st_size} bytes"
    )


if __name__ == "__main__":
    typer.run(main)
