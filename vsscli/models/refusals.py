"""What torch says when it cannot compute something, recognised: it has no types of its own for all of it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory did not suffice: ``torch.OutOfMemoryError`` of a GPU, a RuntimeError of a CPU, Python's own."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error)


def is_too_small(error: BaseException) -> bool:
    """Whether a frame left a norm a single value for each channel, which cannot be normalised."""
    return isinstance(error, ValueError) and "Expected more than 1 value per channel" in str(error)
