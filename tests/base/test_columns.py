from asdkit.base.columns import columns


def test_names_are_left_and_figures_right():
    rows = [("system", "EER %"), ("i-vector", "5.70"), ("x", "16.07")]
    assert columns(rows).splitlines() == [
        "system    EER %",
        "i-vector   5.70",
        "x         16.07",
    ]
