"""pisis-batch: the receiving side of PISIS flat files."""

__version__ = "0.1.0"
