"""Training: clips, augmentation, masked video consistency, losses, the loop."""
