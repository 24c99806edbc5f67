"""What a user of a trained model calls: load, embed, score, detect."""
