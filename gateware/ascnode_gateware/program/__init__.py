"""What the engine runs: jobs, parameters, and the image that carries them. docs/accelerator.md is the contract."""
