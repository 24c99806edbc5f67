"""Speech of which nobody owns the rights."""

import numpy as np
import pytest

from asdkit.simulation.corpus import DrawnCorpus
from asdkit.simulation.sessions import draw_session
from asdkit.simulation.speakers import draw_speaker, speak


@pytest.fixture(scope="session")
def spoken():
    """(16000,) float32: a second of a drawn woman, as recorded in a studio."""
    rng = np.random.default_rng(3)
    studio = draw_session(rng)._replace(direct_db=40.0, snr_db=60.0, effort=0.0)
    return speak(draw_speaker(rng, "f"), studio, 1.0, rng)


@pytest.fixture(scope="session")
def others_speech():
    """(16000,) float32: a second of a drawn man."""
    corpus = DrawnCorpus(num_spks=2, num_sessions=1, utts_per_session=1, mean_sec=1.3)
    return corpus.speak(corpus.utterances()[1])[:16000]
