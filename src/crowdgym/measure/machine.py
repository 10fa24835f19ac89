"""What a measurement was made on, without the name of the machine or of its owner."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def machine_description() -> dict[str, Any]:
    """Processor, cores, memory (bytes), operating system, and versions of what counts for speed."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        "memory_bytes": _memory_bytes(),
        "os": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: _version_of(name) for name in ("numpy", "numba", "gymnasium", "pettingzoo", "crowdgym")},
    }


def cpu_model() -> str:
    """The model of the processor, as far as the operating system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def peak_memory_bytes() -> int | None:
    """Peak memory of this process in bytes, Python included; None if the operating system does not report it."""
    try:
        # Not getrusage on Linux: it goes on counting what the parent held before it started this program.
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return _peak_of_getrusage()
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return 1024 * int(peaks[0]) if peaks else _peak_of_getrusage()


def _peak_of_getrusage() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _usable_cores() -> int | None:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
