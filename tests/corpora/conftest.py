"""Attacks that show what they were given; manifests with other values."""

import pytest

from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.simulation.attacks import ATTACKS, Attack


@pytest.fixture
def toys(monkeypatch):
    """Attacks that show what they were given."""
    calls = []

    def note(material, rng):
        calls.append(material)
        return rng.standard_normal(len(material.samples))

    monkeypatch.setitem(ATTACKS, "noise", Attack(note))
    monkeypatch.setitem(ATTACKS, "convert", Attack(note, needs_other=True))
    monkeypatch.setitem(ATTACKS, "read", Attack(note, needs_text=True))
    return calls


@pytest.fixture
def change():
    """Give all supervisions of a directory other values; a function gets the item."""

    def change(data, **fields):
        manifests = read_manifests(data)
        for item in manifests.supervisions.values():
            for name, value in fields.items():
                setattr(item, name, value(item))
        write_manifests(
            data, manifests.recordings.values(), manifests.supervisions.values()
        )

    return change
