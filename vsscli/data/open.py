"""The one door to every dataset: `open_dataset`."""

from pathlib import Path

from vsscli.data.camvid import CamvidDataset
from vsscli.data.dataset import Dataset, misnamed_error, read_errors
from vsscli.data.plain import PlainDataset
from vsscli.data.vspw import VspwDataset
from vsscli.errors import DataError

#: Layouts in the order they are tried.
LAYOUTS: tuple[type[Dataset], ...] = (VspwDataset, CamvidDataset, PlainDataset)


def open_dataset(root: Path, split: str = "val", *, flawed: bool = False) -> Dataset:
    """The dataset at ``root``.

    ``split`` is ignored by layouts without splits. Raises DataError that says what was looked for when ``root`` is
    no dataset, when the split's list names something twice or a video has an impossible name (unless ``flawed``), and
    whatever the layout has to say about its lists.
    """
    with read_errors():
        if not root.exists():
            raise DataError(f"{root} does not exist.", "Give the folder that holds data/ and val.txt.")
        for layout in LAYOUTS:
            dataset = layout.detect(root, split)
            if dataset is not None:
                break
        else:
            raise _no_dataset(root)
    if dataset.misnamed and not flawed:
        raise misnamed_error(root, dataset.misnamed)
    if dataset.repeated and not flawed:
        twice = f"names {dataset.repeated[0]} twice"
        raise DataError(f"The list of the split {dataset.split} of {root} {twice}.", "Remove one of the lines.")
    return dataset


def layout_at(root: Path) -> type[Dataset]:
    """The layout of ``root``, whatever lists are there; DataError as in `open_dataset`."""
    with read_errors():
        for layout in LAYOUTS:
            if root.exists() and layout.splits(root):
                return layout
    return type(open_dataset(root, flawed=True))


def _no_dataset(root: Path) -> DataError:
    below = [p for p in sorted(root.iterdir()) if p.is_dir() and (p / "data").is_dir()] if root.is_dir() else []
    above = root.name == "data" and any(root.glob("*/origin"))
    hint = f"Did you mean {root.parent}?" if above else f"Did you mean {below[0]}?" if below else ""
    return DataError(
        f"{root} is no dataset: looked for VSPW's layout (data/<video>/origin, train.txt, val.txt or test.txt), "
        "CamVid's layout (train/, trainannot/, train.txt), folders of images, and video files.",
        hint,
    )
