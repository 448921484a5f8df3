"""Sizes of frames and of what a network sees of them."""


def network_size(height: int, width: int, short: int | None, cap: int | None) -> tuple[int, int]:
    """(H', W') of a frame as a network sees it, before padding.

    The short side becomes ``short``, unless the long side would exceed ``cap`` (None = no cap): then the long side
    becomes ``cap``. ``short`` None keeps the frame's own size, and no cap holds. The sides are computed in floating
    point, in the order in which detectron2's ``ResizeShortestEdge`` does it, and rounded half up at the end: official
    sizes depend on it (480x853 at 720/1333 is 720x1280, 480x854 is 720x1281). No side is below 1.
    """
    if short is None:
        return height, width
    scale = short / min(height, width)
    if height < width:
        new_height, new_width = float(short), scale * width
    else:
        new_height, new_width = scale * height, float(short)
    if cap is not None and max(new_height, new_width) > cap:
        scale = cap / max(new_height, new_width)
        new_height, new_width = new_height * scale, new_width * scale
    return max(int(new_height + 0.5), 1), max(int(new_width + 0.5), 1)


def padded_size(height: int, width: int, divisor: int) -> tuple[int, int]:
    """(H, W) rounded up to multiples of ``divisor``."""
    return -(-height // divisor) * divisor, -(-width // divisor) * divisor
