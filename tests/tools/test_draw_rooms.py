"""The picture of the rooms, and README's map of them, are those of the code."""

import importlib.util
import itertools
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("rooms", ROOT / "tools/draw_rooms.py")
rooms = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(rooms)
NAMES = [room for layer in rooms.LAYERS for room in layer]


def closure(graph):
    """Map every room to all that can be reached from it."""

    def below(room):
        return set().union(*({x} | below(x) for x in graph[room]))

    return {room: below(room) for room in graph}


def test_the_committed_picture_is_what_the_imports_draw():
    cure = "python tools/draw_rooms.py > tools/rooms.svg"
    assert (ROOT / "tools/rooms.svg").read_text() == rooms.draw(), cure


def test_every_room_is_drawn_once():
    shown = re.findall(r"<text x=[^>]*>(\w+)</text>", rooms.draw())
    assert sorted(shown) == sorted(NAMES)


def test_arrows_that_are_left_out_follow_from_others():
    graph = rooms.rooms_imported()
    fewer = rooms.reduced(graph)
    assert closure(fewer) == closure(graph)
    for room, to in fewer.items():
        for other in to:
            without = fewer | {room: to - {other}}
            assert other not in closure(without)[room]


def test_rooms_do_not_overlap_and_stay_inside_the_picture():
    layers, links = rooms.layered(rooms.reduced(rooms.rooms_imported()))
    x = rooms.place(layers, links)
    for layer in layers:
        edges = [(x[n] - rooms.width(n) / 2, x[n] + rooms.width(n) / 2) for n in layer]
        assert all(a[1] < b[0] for a, b in itertools.pairwise(edges))
        assert edges[0][0] > rooms.MARGIN
        assert edges[-1][1] < rooms.WIDTH


def test_the_map_in_the_readme_lists_the_rooms_that_exist():
    text = (ROOT / "README.md").read_text()
    assert "](tools/rooms.svg)" in text
    listed = re.findall(r"^      (\w+)/ ", text, re.MULTILINE)
    folders = [x.parent.name for x in (ROOT / "asdkit").glob("*/__init__.py")]
    assert sorted(listed) == sorted(folders) == sorted(NAMES)
