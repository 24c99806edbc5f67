"""Logging, set up once: ``2026-11-20 23:47:25 INFO [plda:66] plda: ...`` on stderr."""

from __future__ import annotations

import logging

from asdkit.base.distributed import rank


def set_up_logging(level: str = "INFO") -> None:
    """Send the library's messages to stderr; ranks other than 0 only warn.

    Args:
        level: the least severe message to show: DEBUG, INFO or WARNING.
    """
    name = "" if rank() == 0 else f" rank {rank()}"
    logging.basicConfig(
        format=f"%(asctime)s %(levelname)s{name} [%(module)s:%(lineno)d] %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        level=logging.WARNING,
        force=True,
    )
    logging.getLogger("asdkit").setLevel(level if rank() == 0 else "WARNING")
