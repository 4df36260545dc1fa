"""Places as users write them."""

import pytest

from ascnode.errors import ScenarioError
from ascnode.sky.places import place


@pytest.mark.parametrize("text", ["Sao Paulo", "sao paulo", " SÃO PAULO ", "São-Paulo"])
def test_cities_are_known_in_any_case_and_with_accents(text: str) -> None:
    assert place(text).name == "Sao Paulo"


@pytest.mark.parametrize(
    ("text", "site"),
    [("51.5,-0.13", (51.5, -0.13, 0)), ("-33.9, 151.2", (-33.9, 151.2, 0)), ("0,0,2850", (0, 0, 2850))],
)
def test_coordinates_are_taken_as_they_are(text: str, site: tuple[float, float, float]) -> None:
    found = place(text)
    assert (found.latitude_deg, found.longitude_deg, found.height_m) == site
    assert " " not in found.name


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Tokio", "'Tokio' is no city of the table: did you mean Tokyo"),
        (
            "Xanadu Bay",
            r"'Xanadu Bay' is no city of the table: it knows \d+ large cities; LAT,LON in degrees",
        ),
        ("", "'' is no city of the table"),
        ("91,0", "91,0: latitude_deg is 91.0, beyond a pole"),
        ("0,181", "0,181: longitude_deg is 181.0, beyond 180"),
        ("nan,0", "nan,0: latitude_deg is nan, beyond a pole"),
        ("0,0,inf", "0,0,inf: height_m is inf"),
        ("1,2,3,4", "'1,2,3,4' is no city"),
        ("51N,0", "'51N,0' is no city"),
    ],
)
def test_what_is_no_place_is_refused_with_what_is_near(text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        place(text)
