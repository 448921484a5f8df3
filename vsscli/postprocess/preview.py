"""What would be asked, as a folder to look at: the answer of ``--dry-run``."""

import contextlib
import glob
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from vsscli.errors import RunError
from vsscli.postprocess.question import Question
from vsscli.processes import stamp
from vsscli.runs.disk import disk_errors, real_path, sweep_temporary

LIST = "questions.jsonl"


def preview_folder(out: Path) -> Path:
    """Where the questions for a run ``out`` are shown: beside it. RunError when something else is there."""
    place = real_path(out)
    folder = place.with_name(f"{place.name}.questions")
    foreign = _foreign(folder)
    if foreign is not None:
        raise RunError(
            f"{foreign} was not written by a dry run, which replaces all that is in {folder.name}.",
            "Move it elsewhere.",
        )
    return folder


def write_preview(folder: Path, questions: Iterable[Question]) -> Iterable[Question]:
    """Passes ``questions`` on; when all have passed, ``folder`` holds them, and no questions of earlier times.

    ``<video>/<region>.<frame>.jpg`` are the images, ``questions.jsonl`` tells the rest, a line each. Raises DiskError.
    """
    temporary = folder.with_name(f".{folder.name}.{stamp()}.tmp")
    with disk_errors(folder):
        sweep_temporary(folder.parent, f".{glob.escape(folder.name)}.*.tmp")
        try:
            temporary.mkdir(parents=True)
            with (temporary / LIST).open("w", encoding="utf-8") as lines:
                for question in questions:
                    image = Path(question.video) / f"{question.region}.{question.frame}.jpg"
                    (temporary / image).parent.mkdir(exist_ok=True)
                    (temporary / image).write_bytes(question.image)
                    lines.write(json.dumps(_line(question, image), ensure_ascii=False) + "\n")
                    yield question
            if folder.exists():
                shutil.rmtree(folder)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _line(question: Question, image: Path) -> dict[str, object]:
    return {
        "video": question.video,
        "region": question.region,
        "group": question.group,
        "frame": question.frame,
        "text": question.text,
        "candidates": list(question.candidates),
        "image": str(image),
        "size": list(question.size),
    }


def _foreign(folder: Path) -> Path | None:
    """What lies there and no dry run wrote: its list, and the pictures that this names, are a dry run's."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return folder
    named = {LIST}
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        for line in (folder / LIST).read_text(encoding="utf-8").splitlines():
            named.add(json.loads(line)["image"])
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return next((path for path in files if path.relative_to(folder).as_posix() not in named), None)
