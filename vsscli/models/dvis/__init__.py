"""DVIS++: a segmenter, a referring tracker and a temporal refiner, in plain PyTorch."""
