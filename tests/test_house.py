"""The rules of the house: who may import whom, how large a file may be, where the package's data lie."""

import ast
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import vsscli

PACKAGE = Path(vsscli.__file__).parent
ROOT = PACKAGE.parent

#: Room -> rooms it may import. `errors` and `resources` are open to all.
MIDDLE = ("infer", "ensemble", "postprocess", "score", "submit", "train")
BELOW = ("engine", "runs", "data", "maps")
ALLOWED: dict[str, set[str]] = {
    "maps": set(),
    "data": {"maps"},
    "runs": {"data", "maps"},
    "engine": {"runs", "data", "maps"},
    "models": {"data", "maps"},
    "infer": {"models", *BELOW},
    "ensemble": set(BELOW),
    "postprocess": {"score", *BELOW},
    "score": set(BELOW),
    "submit": set(BELOW),
    "train": {"models", "score", *BELOW},
    "report": {"ensemble", "postprocess", "score", *BELOW},
    "guides": set(),
    "cli": {"models", "guides", "report", *MIDDLE, *BELOW},
}
HEAVY = {"torch", "cv2", "numpy", "pandas", "openai", "transformers", "numba", "scipy", "ray"}
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_rooms_import_one_way() -> None:
    wrong = []
    for path in FILES:
        room = path.relative_to(PACKAGE).parts[0]
        if room not in ALLOWED:
            continue
        rooms = {name.split(".")[1] for name in imported(path) if name.startswith("vsscli.") and name.count(".") >= 1}
        wrong += [f"{path.name} in {room} imports {other}" for other in rooms & set(ALLOWED) - ALLOWED[room] - {room}]
    assert not wrong


def test_every_room_has_its_line() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(ALLOWED)


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in FILES}
    assert max(lengths.values()) <= 400, max(lengths, key=lengths.__getitem__)
    assert sorted(lengths.values())[len(lengths) // 2] <= 150


def test_only_the_dataset_room_knows_a_dataset() -> None:
    for path in FILES:
        if path.relative_to(PACKAGE).parts[0] in ("maps", "runs", "engine", "ensemble", "score", "submit"):
            tree = ast.parse(path.read_text())
            numbers = {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is int
            }
            assert not numbers & {124, 254}, f"{path}: a dataset's number"


def test_only_the_engine_knows_ray_and_imports_it_when_asked() -> None:
    users = {path for path in FILES if any(name.split(".")[0] == "ray" for name in imported(path))}
    assert {path.relative_to(PACKAGE).parts[0] for path in users} == {"engine"}
    script = "import sys, vsscli.engine; sys.exit('ray' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; from vsscli.cli.main import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "infer" in done.stdout
    assert not HEAVY & set(done.stderr.split())


def test_the_wheel_carries_recipes_and_prompts(tmp_path: Path) -> None:
    """Built, installed without its dependencies into a venv that borrows them, and run from another folder."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", system_site_packages=True, with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--quiet",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    borrowed = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site,) = (tmp_path / "venv").glob("lib/*/site-packages")
    (site / "borrowed.pth").write_text(f"{borrowed}\n")
    script = (
        "import vsscli, vsscli.resources as r; print(vsscli.__file__);"
        "print(*(len(list(r.resource_folder(name).iterdir())) for name in ('pipelines', 'prompts')))"
    )
    done = subprocess.run([python, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    where, counts = done.stdout.splitlines()
    assert str(site) in where
    assert all(int(count) > 0 for count in counts.split())
    command = tmp_path / "venv" / "bin" / "vsscli"
    done = subprocess.run([command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"vsscli {vsscli.__version__}\n"
    done = subprocess.run([command, "run", "fast", "--print"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "vsscli infer VSPW_480p" in done.stdout
    done = subprocess.run([command, "guide", "scores"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == (PACKAGE / "guides" / "scores.md").read_text()


@pytest.mark.parametrize("name", ["pipelines", "prompts"])
def test_a_checkout_finds_its_own(name: str) -> None:
    from vsscli.resources import resource_folder

    assert resource_folder(name) == ROOT / name  # type: ignore[arg-type]
