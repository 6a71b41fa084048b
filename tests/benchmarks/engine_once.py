"""Child of bench_engine: makes all variants of one photo, twice, and prints its peak memory in MiB."""

import sys
from pathlib import Path

from core.engines.on_device import OnDevice
from core.ports import Order


def main(path: str) -> None:
    photo = Path(path).read_bytes()
    engine = OnDevice()
    order = Order(portrait=photo, ratio="4:5", long_side=2048, style="studio", backdrop="grey", variants=4)
    for _ in range(2):
        for _made in engine.make(order):
            pass
        engine.preview(photo, ratio="4:5")
        engine.before(photo, ratio="4:5", long_side=2048)
    print(peak_mib())


def peak_mib() -> float:
    """Of this process alone: getrusage would answer with the parent's peak, which exec hands down."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1])
