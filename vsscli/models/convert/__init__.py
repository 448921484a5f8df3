"""Official checkpoints in, model folders out."""
