"""The Earth's heliocentric longitude and distance as short series.

VSOP87D (Bretagnon & Francou, Astronomy and Astrophysics 202, 1988; its terms as in Meeus, Astronomical Algorithms,
2nd ed., appendix III), terms above 2e-6 rad and 1.5e-5 au. Rows are amplitude in 1e-8 rad or au, phase in rad,
rate in rad per thousand Julian years; series k is multiplied by the k-th power of time.
"""

import numpy as np

from ascnode.sky.vectors import Floats

LONGITUDE = (
    np.array(
        [
            (175347046, 0, 0),
            (3341656, 4.6692568, 6283.0758500),
            (34894, 4.62610, 12566.15170),
            (3497, 2.7441, 5753.3849),
            (3418, 2.8289, 3.5231),
            (3136, 3.6277, 77713.7715),
            (2676, 4.4181, 7860.4194),
            (2343, 6.1352, 3930.2097),
            (1324, 0.7425, 11506.7698),
            (1273, 2.0371, 529.6910),
            (1199, 1.1096, 1577.3435),
            (990, 5.233, 5884.927),
            (902, 2.045, 26.298),
            (857, 3.508, 398.149),
            (780, 1.179, 5223.694),
            (753, 2.533, 5507.553),
            (505, 4.583, 18849.228),
            (492, 4.205, 775.523),
            (357, 2.920, 0.067),
            (317, 5.849, 11790.629),
            (284, 1.899, 796.298),
            (271, 0.315, 10977.079),
            (243, 0.345, 5486.778),
            (206, 4.806, 2544.314),
            (205, 1.869, 5573.143),
            (202, 2.458, 6069.777),
        ]
    ),
    np.array(
        [
            (628331966747, 0, 0),
            (206059, 2.678235, 6283.07585),
            (4303, 2.6351, 12566.1517),
            (425, 1.590, 3.523),
        ]
    ),
    np.array([(52919, 0, 0), (8720, 1.0721, 6283.0758)]),
)
DISTANCE = (
    np.array(
        [
            (100013989, 0, 0),
            (1670700, 3.0984635, 6283.07585),
            (13956, 3.05525, 12566.1517),
            (3084, 5.1985, 77713.7715),
            (1628, 1.1739, 5753.3849),
            (1576, 2.8469, 7860.4194),
        ]
    ),
    np.array([(103019, 1.107490, 6283.075850)]),
)


def series_sum(series: tuple[Floats, ...], millennia: Floats) -> Floats:
    """The sum in rad or au, (...) for times (...) in thousand Julian years since J2000."""
    total = np.zeros_like(millennia)
    for power, terms in enumerate(series):
        for amplitude, phase, rate in terms:
            total += 1e-8 * amplitude * millennia**power * np.cos(phase + rate * millennia)
    return total
