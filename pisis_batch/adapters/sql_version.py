"""Which version the tables are at, and which one is this program's."""

from importlib import resources

CURRENT = "SELECT version_num FROM alembic_version"


def newest() -> str:
    """The last revision: migrations are one chain, each file named by its number (`0002_lanes.py`)."""
    versions = resources.files("pisis_batch.adapters") / "migrations" / "versions"
    return max(entry.name[:4] for entry in versions.iterdir() if entry.name[:4].isdigit())
