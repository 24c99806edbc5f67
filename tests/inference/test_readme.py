"""What README shows a user of a trained model runs as it stands."""

import re
import shutil
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
NAMES = {
    "exp/ivector/extractor.npz": "exp/extractor_50/extractor.npz",
    "exp/plda.npz": "exp/ivectors_50/plda.npz",
    "exp/audio/network.pt": "exp/network_seed0/network.pt",
    "exp/gmm/gmm.npz": "exp/cm_gmm_64/gmm.npz",
}


def test_the_example_in_readme_runs(trained, tmp_path, monkeypatch, capsys):
    """With small models under the names that the recipe gives to its own."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        utt = f"test000{number}/test000{number}-01-01.flac"
        source = trained.audio[f"spk000{number}-01-01"]
        NAMES[source] = f"exp/wav/test/{utt}"
    for source, name in NAMES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained.folder / source, name)
    (code,) = re.findall("```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(code, {})
    said = capsys.readouterr().out.splitlines()
    comments = re.findall("# (.*)", code)
    assert said[1] == "(2, 5)"  # 50 in the recipe
    for line, comment in zip(
        said[:1] + said[2:], comments[:1] + comments[2:], strict=1
    ):
        assert line.startswith(comment.partition(" ...")[0])
