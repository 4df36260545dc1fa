"""The host's side of the accelerator's bus: frames of the SPI port, and who sends them again when one is lost."""
