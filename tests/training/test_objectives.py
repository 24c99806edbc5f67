from asdkit.losses.objective import Labels
from asdkit.training.objectives import OBJECTIVES


def test_the_table_holds_objectives():
    assert OBJECTIVES["labels"] is Labels
