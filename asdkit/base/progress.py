"""Progress of long runs: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from asdkit.base.distributed import is_main

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

LINE_SEC = 60.0  # between two lines


def watch(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Pass items on, and report on rank 0 how many there have been.

    A run that ends within a minute says nothing to a log.

    Args:
        items: items of the work.
        total: total number of items.
        what: the work, e.g. "feats-compute".
    """
    if not is_main():
        yield from items
    elif sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, desc=what, total=total, leave=False)
    else:
        yield from _watch_in_log(items, total, what)


def _watch_in_log(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    begin = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if done and now - last >= LINE_SEC:
            last = now
            left = (now - begin) / done * (total - done) / 60
            logger.info("%s: %d/%d, %.1f min left", what, done, total, left)
        yield item
