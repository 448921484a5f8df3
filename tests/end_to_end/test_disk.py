"""Disks that are full or read-only: one sentence, exit code 2, and the same command continues when there is room."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import make_vspw, tree

VSSCLI = f"{sys.executable} -m vsscli"
INFER = f"{VSSCLI} infer data --model oracle:noise=0.3 --workers 1"


def in_own_mounts(script: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Runs a shell script that may mount; where the machine forbids that, without the mounts it cannot have."""
    return subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=folder, capture_output=True, text=True)


def may_mount() -> bool:
    probe = "mount -t tmpfs none /mnt"
    return shutil.which("unshare") is not None and in_own_mounts(probe, Path("/")).returncode == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_vspw(tmp_path / "data", {"1_a": (4, 200, 300), "2_b": (4, 200, 300), "3_c": (4, 200, 300)})
    return tmp_path


def test_a_full_disk_is_one_sentence_and_the_same_command_continues(folder: Path) -> None:
    before = tree(folder / "data")
    if may_mount():
        script = f"""
            mkdir disk; mount -t tmpfs -o size=100k none disk
            {INFER} --out disk/run; echo code $?; ls disk/run
            mount -o remount,size=10m disk
            {INFER} --out disk/run; echo code $?; find disk -name '*.tmp' -o -path '*doing/*'; cp -r disk/run whole
        """
        done = in_own_mounts(script, folder)
    else:  # a limit on the size of files fails like a full disk, without a mount
        script = f"""
            (ulimit -f 8; {INFER} --out whole); echo code $?; ls whole
            {INFER} --out whole; echo code $?; find whole -name '*.tmp' -o -path '*doing/*'
        """
        done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    first, second = done.stdout.split("code ")[1:]
    assert first.startswith("2") and second.strip() == "0", done.stdout + done.stderr
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    subprocess.run(f"{INFER} --out other", shell=True, cwd=folder, check=True, capture_output=True)
    assert visible(folder / "whole") == visible(folder / "other")
    assert tree(folder / "data") == before


def test_a_read_only_folder_is_one_sentence(folder: Path) -> None:
    if may_mount():
        script = f"mkdir disk; mount -t tmpfs -o ro none disk; {INFER} --out disk/run; echo code $?"
        done = in_own_mounts(script, folder)
        where = "disk/run"
    else:  # no mount, and maybe root, whom no permission stops: a file system that takes no folder from anyone
        where = "/proc/run"
        script = f"{INFER} --out {where}; echo code $?"
        done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.stdout == "code 2\n"
    assert f"{where} cannot be written" in done.stderr and "Traceback" not in done.stderr


def visible(run: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(run).items() if ".vsscli" not in name}
