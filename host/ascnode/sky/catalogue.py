"""Ready-made constellations, with the public document that each was taken from.

Filings give altitudes, inclinations, planes and satellites per plane. None gives Walker's phasing: it is [A] the
one that keeps the satellites of a shell farthest apart (but for Starlink's first shell and the million). Also [A]:
planes near a pole are a star, all others a delta.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ascnode.sky.shells import Shell, sun_synchronous_inclination_deg
from ascnode.sky.sun import mean_sun_deg


@dataclass(frozen=True)
class Entry:
    """shells(epoch): what flies; source: where it is written."""

    source: str
    shells: Callable[[datetime], tuple[Shell, ...]]


def _fixed(*shells: Shell) -> Callable[[datetime], tuple[Shell, ...]]:
    return lambda epoch: shells


# 39: G. Stock, J. A. Fraire, H. Hermanns, "Distributed on-demand routing for LEO mega-constellations: a Starlink case
# study", ASMS/SPSC 2022: estimated there from published element sets.
_GEN1_FIRST = Shell(550, 53.0, 72, 22, 39)


def dawn_dusk(
    epoch: datetime, altitude_km: float = 650.0, per_plane: int = 24, ltan_h: float = 18.0
) -> Shell:
    """One sun-synchronous plane whose ascending node passes at local mean time ltan_h, in hours.

    Raises ValueError where no orbit is sun-synchronous.
    """
    raan_deg = (mean_sun_deg(epoch) + 15 * (ltan_h - 12)) % 360
    inclination_deg = sun_synchronous_inclination_deg(altitude_km)
    return Shell(altitude_km, inclination_deg, 1, per_plane, raan0_deg=raan_deg)


def _million(epoch: datetime) -> tuple[Shell, ...]:
    """[A] Ten shells of 100 planes of 1,000: half at 30 deg, half sun-synchronous, 100 km apart."""
    inclined = (Shell(altitude, 30.0, 100, 1000, 31) for altitude in (500, 700, 900, 1100, 1300))
    synchronous = (
        Shell(altitude, sun_synchronous_inclination_deg(altitude), 100, 1000, 89, star=True)
        for altitude in (600, 800, 1000, 1200, 1400)
    )
    return (*inclined, *synchronous)


CATALOGUE = {
    "starlink-gen1": Entry(
        "FCC 21-48 (2021) on SAT-MOD-20200417-00037: 4,408 satellites",
        _fixed(
            _GEN1_FIRST,
            Shell(540, 53.2, 72, 22, 13),
            Shell(570, 70.0, 36, 20, 25),
            Shell(560, 97.6, 6, 58, 0, star=True),
            Shell(560, 97.6, 4, 43, 1, star=True),
        ),
    ),
    "starlink-gen1-1": Entry("the first shell of starlink-gen1: 1,584 satellites", _fixed(_GEN1_FIRST)),
    "starlink-gen2": Entry(
        "FCC 22-91 (2022): 7,500 satellites at 525, 530 and 535 km; [A] 25 planes of 100 in each",
        _fixed(Shell(525, 53.0, 25, 100, 8), Shell(530, 43.0, 25, 100, 19), Shell(535, 33.0, 25, 100, 19)),
    ),
    "starlink-gen2-filed": Entry(
        "SAT-AMD-20210818-00105, configuration 1: 29,988 satellites as applied for",
        _fixed(
            Shell(340, 53.0, 48, 110, 25),
            Shell(345, 46.0, 48, 110, 1),
            Shell(350, 38.0, 48, 110, 35),
            Shell(360, 96.9, 30, 120, 28, star=True),
            Shell(525, 53.0, 28, 120, 27),
            Shell(530, 43.0, 28, 120, 11),
            Shell(535, 33.0, 28, 120, 15),
            Shell(604, 148.0, 12, 12, 1),
            Shell(614, 115.7, 18, 18, 1),
        ),
    ),
    "kuiper": Entry(
        "FCC 20-102 (2020) on SAT-LOA-20190704-00057: 3,236 satellites",
        _fixed(Shell(630, 51.9, 34, 34, 7), Shell(610, 42.0, 36, 36, 11), Shell(590, 33.0, 28, 28, 17)),
    ),
    "telesat": Entry(
        "SAT-MPL-20200526-00053: 1,671 satellites",
        _fixed(Shell(1015, 98.98, 27, 13, 13, star=True), Shell(1325, 50.88, 40, 33, 24)),
    ),
    "dawn-dusk": Entry(
        "[A] 24 satellites in one sun-synchronous plane at 650 km, node at 18 h local mean time",
        lambda epoch: (dawn_dusk(epoch),),
    ),
    "million": Entry(
        "[A] one million, in the altitudes and inclinations of SAT-LOA-20260108-00016 (500 to 2,000 km, "
        "30 deg and sun-synchronous)",
        _million,
    ),
}
