"""From cuts to tensors: frame sources, samplers, augmentation, crops, frame labels."""
