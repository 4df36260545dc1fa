"""Constants of the sky, each with its source. Lengths in km, times in s."""

# WGS84: NIMA TR8350.2, third edition (2000), tables 3.1 and 3.3.
EARTH_RADIUS_KM = 6378.137  # equatorial; also the radius of the spherical Earth that casts the shadow
EARTH_FLATTENING = 1 / 298.257223563
EARTH_MU_KM3_S2 = 398600.4418

# Second zonal harmonic, un-normalised: EGM96 (NASA/TP-1998-206861), sqrt(5) * 4.84165371736e-4.
EARTH_J2 = 1.08262668e-3

# IAU 2012 resolution B2 (the astronomical unit), IAU 2015 resolution B3 (nominal solar radius).
ASTRONOMICAL_UNIT_KM = 149597870.7
SUN_RADIUS_KM = 695700.0

# Exact: definition of the metre, SI.
SPEED_OF_LIGHT_KM_S = 299792.458

SECONDS_PER_DAY = 86400.0
DAYS_PER_JULIAN_CENTURY = 36525.0
J2000_JULIAN_DATE = 2451545.0  # 2000-01-01 12:00
