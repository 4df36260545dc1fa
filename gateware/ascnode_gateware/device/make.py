"""Devices by kind: from what a caller or the control channel says to something that answers frames."""

from dataclasses import dataclass
from pathlib import Path

from ascnode_gateware.device.flash_chip import FlashChip
from ascnode_gateware.device.golden import GoldenDevice
from ascnode_gateware.device.golden_engine import Shared
from ascnode_gateware.device.interface import CLOCK_HZ, SCK_HZ, Accelerator, Rates
from ascnode_gateware.device.rtl import RtlDevice

KINDS = ("golden", "rtl")


@dataclass(frozen=True)
class DeviceSpec:
    """What to make. `flash`: a file with the flash's first contents; `executable`: the simulator of kind rtl."""

    kind: str
    seed: int = 1
    clock_hz: int = CLOCK_HZ
    sck_hz: int = SCK_HZ
    flash: str | None = None
    quad: bool = True
    executable: str | None = None


def make_device(spec: DeviceSpec, shared: Shared) -> Accelerator:
    """ValueError, in one sentence, when it cannot be made."""
    rates = Rates(spec.clock_hz, spec.sck_hz)
    flash = FlashChip(_contents(spec.flash), quad=spec.quad)
    if spec.kind == "golden":
        return GoldenDevice(rates=rates, flash=flash, shared=shared, seed=spec.seed)
    if spec.kind != "rtl":
        raise ValueError(f"an accelerator is one of {', '.join(KINDS)}, not {spec.kind}")
    if spec.executable is None:
        raise ValueError("an accelerator of kind rtl needs its simulator's executable")
    return RtlDevice(Path(spec.executable), rates=rates, flash=flash, seed=spec.seed)


def _contents(path: str | None) -> bytes:
    try:
        return Path(path).read_bytes() if path else b""
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
