from asdkit.batches.feature_config import FeatureConfig


def test_what_a_file_says_is_read_back():
    config = FeatureConfig("audio", "fbank", {"num_mel_bins": 10}, delta_order=1)
    assert FeatureConfig.read(config.description) == config


def test_the_key_of_older_files_is_understood():
    old = FeatureConfig("stored", "mfcc").description
    old["lane"] = old.pop("source")
    assert FeatureConfig.read(old) == FeatureConfig("stored", "mfcc")
