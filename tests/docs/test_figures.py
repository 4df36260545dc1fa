"""The figures of docs/validation.md show what is computed now."""

import json
import re
from pathlib import Path

import pytest

from docs.reading import text_of

pytest.importorskip("matplotlib", reason="the plot extra is not installed")

from docs import figures


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_shows_what_is_computed_now(name: str, tmp_path: Path) -> None:
    drawn = (figures.FOLDER / f"{name}.svg").read_text()
    said = re.search(r"<dc:description>(.*?)</dc:description>", drawn)
    assert said is not None
    assert figures.draw(name, tmp_path) == pytest.approx(json.loads(said[1]), rel=0.02), "run make figures"


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_small_and_shown(name: str) -> None:
    assert (figures.FOLDER / f"{name}.svg").stat().st_size < 60_000
    assert f"(figures/{name}.svg)" in text_of("validation.md")
