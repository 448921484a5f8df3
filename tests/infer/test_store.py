"""What is kept between two passes comes back as it was, from memory and from the file; nothing of the file is left."""

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsscli.infer.store import FrameStore
from vsscli.runs.disk import DiskError

SHAPES = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), min_size=1, max_size=12)


@given(shapes=SHAPES, limit=st.integers(0, 2000))
def test_frames_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[tuple[int, ...]], limit: int
) -> None:
    folder = tmp_path_factory.mktemp("store")
    frames = [torch.randn(shape) for shape in shapes]
    with pytest.MonkeyPatch.context() as patch, FrameStore(folder, limit) as store:
        patch.delenv("TMPDIR", raising=False)
        for frame in frames:
            store.append(frame)
        assert len(store) == len(frames)
        for i in reversed(range(len(frames))):
            assert torch.equal(store.read(i), frames[i])
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(store.read, range(len(frames))))
        assert all(torch.equal(one, other) for one, other in zip(found, frames, strict=True))
    assert not list(folder.iterdir())


def test_the_file_has_no_name_and_lies_where_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, there in ((None, "run"), ("fast", "fast")):
        monkeypatch.delenv("TMPDIR", raising=False)
        if name:
            (tmp_path / name).mkdir()
            monkeypatch.setenv("TMPDIR", str(tmp_path / name))
        with FrameStore(tmp_path / "run", limit=0) as store:
            store.append(torch.ones(1000))
            assert str(Path(f"/proc/self/fd/{store._file}").readlink()).startswith(str(tmp_path / there))
            assert not list((tmp_path / there).iterdir())


def test_what_passes_the_limit_does_not_stay_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    frame = torch.ones(1 << 20)  # 4 MiB
    before = psutil.Process().memory_info().rss
    with FrameStore(tmp_path, limit=8 << 20) as store:
        for _ in range(64):
            store.append(frame.clone())
        grown = psutil.Process().memory_info().rss - before
    assert grown < 64 << 20, f"{grown >> 20} of 256 MiB kept"


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with FrameStore(tmp_path, limit=0) as store:
        store.append(torch.ones(100))
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))  # Python ignores the signal: the write fails
        try:
            with pytest.raises(DiskError, match=f"{tmp_path} cannot be written: File too large"):
                store.append(torch.ones(100_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert torch.equal(store.read(0), torch.ones(100))
