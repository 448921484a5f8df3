"""What would be asked, as a folder to look at: the answer of ``--dry-run``."""

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
    if folder.exists() and not (folder.is_dir() and (_is_ours(folder) or not any(folder.iterdir()))):
        raise RunError(
            f"{folder} is there and holds more than questions, or none.",
            "The dry run writes there anew: move what is yours elsewhere.",
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


def _is_ours(folder: Path) -> bool:
    """Whether all that lies there is what a dry run wrote: its list, and the pictures that this names."""
    try:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
        named = {LIST, *(json.loads(line)["image"] for line in lines)}
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return all(path.is_dir() or path.relative_to(folder).as_posix() in named for path in folder.rglob("*"))
