"""The live page: what a run's record holds, served to a browser on this machine."""
