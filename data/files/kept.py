"""Names of the snapshots that are kept: what lists them alone need not import what reads them."""

from pathlib import Path

from data.files.home import home

MANIFEST = "manifest.json"


def snapshots_dir() -> Path:
    """Return the folder that holds one folder a snapshot."""
    return home() / "snapshots"


def snapshot_names() -> list[str]:
    """Names of the snapshots that are kept, sorted."""
    if not snapshots_dir().is_dir():
        return []
    # A leading dot marks what is being written, or was when an import broke off.
    return sorted(path.parent.name for path in snapshots_dir().glob(f"*/{MANIFEST}") if path.parent.name[0] != ".")
