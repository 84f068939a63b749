"""How much memory this process has taken."""

import sys


def peak_memory_mb() -> float | None:
    """Return the most memory that this process held at one time, MB; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return peak / (1024.0**2 if sys.platform == "darwin" else 1024.0)
