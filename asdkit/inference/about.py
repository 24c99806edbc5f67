"""Bundles in words and numbers."""

from __future__ import annotations

from asdkit.base.answers import Table
from asdkit.inference.bundle import Bundle
from asdkit.models.bundle_description import tables_of


def about_table(bundle: Bundle) -> list[Table]:
    """Describe an open bundle: what its graphs cost, then its cards, if it has any.

    Raises:
        DataError: its description is damaged.
    """
    return tables_of(bundle.path, bundle.about, bundle.card(), bundle.cm_card())
