"""What a program measures while it runs is collected, and only then."""

from asdkit.base.measured import measuring, note_step, note_steps, note_value


def test_the_last_value_of_a_name_counts_and_steps_stay_in_order():
    with measuring() as found:
        note_value("loss", 2.0, "nats")
        note_value("loss", 1.0, "nats")
        note_step({"loss": 2.0})
        note_step({"loss": 1.0})
    assert found.values == {"loss": (1.0, "nats")}
    assert found.history == [{"loss": 2.0}, {"loss": 1.0}]


def test_a_resumed_training_notes_all_its_steps_once():
    with measuring() as found:
        note_step({"loss": 2.0})
        note_steps([{"loss": 3.0}, {"loss": 2.0}])
    assert found.history == [{"loss": 3.0}, {"loss": 2.0}]


def test_outside_of_a_program_nothing_is_kept():
    note_value("loss", 2.0, "nats")
    note_step({"loss": 2.0})
    note_steps([{"loss": 3.0}])
    with measuring() as outer:
        with measuring() as inner:
            note_value("loss", 1.0, "nats")
        note_value("EER", 0.5, "fraction")
    assert inner.values == {"loss": (1.0, "nats")}
    assert outer.values == {"EER": (0.5, "fraction")}
    assert outer.history == []
