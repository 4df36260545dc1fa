"""A run's telemetry for NASA's Open MCT, which the user brings: nothing of it is part of ascnode."""
