from asdkit.base.differences import differences


def test_equal_options_do_not_differ():
    options = {"a": 1, "b": {"c": [1, 2]}}
    assert list(differences(options, {"b": {"c": [1, 2]}, "a": 1})) == []


def test_nested_options_are_named_with_both_values():
    theirs = {"network": {"name": "resnet34", "dim": 256}, "seed": 0}
    ours = {"network": {"name": "resnet34", "dim": 128}, "loss": "ce"}
    assert list(differences(theirs, ours)) == [
        "network.dim = 256, now 128",
        "seed = 0, now None",
        "loss = None, now 'ce'",
    ]
    assert list(differences(1, 2, "x")) == ["x = 1, now 2"]
