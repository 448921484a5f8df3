"""The question as a sentence: a template from a file, with the fields of a group filled in."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from vsscli.errors import OptionError
from vsscli.postprocess.groups import Group, read_text
from vsscli.resources import resource_folder

#: What a template may hold in braces. `{classes}` it must hold: without it nothing would be offered.
VARIABLES = ("stuff", "classes")
#: The shipped template for each kind of image.
SHIPPED = {"plain": "question.txt", "outlined": "question_outlined.txt"}

_LONGEST = 4000  # characters


@dataclass(frozen=True)
class Wording:
    """A checked template."""

    template: str

    @property
    def digest(self) -> str:
        """SHA-256 of the template: two runs of one digest ask in the same words."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    def question(self, group: Group) -> str:
        """What is asked about ``group``."""
        values = {"stuff": group.stuff, "classes": ", ".join(group.nouns)}
        return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], self.template)


def read_wording(path: Path | None, image: str) -> Wording:
    """The template at ``path`` (None: the shipped one for that kind of ``image``), without blanks at its ends.

    OptionError for a file that cannot be read, is empty or very long, holds a variable that is none, or lacks one.
    """
    path = path or resource_folder("prompts") / SHIPPED[image]
    template = read_text(path, "--prompt").strip()
    if not 0 < len(template) <= _LONGEST:
        raise OptionError(f"--prompt {path}: a question has 1 to {_LONGEST} characters, this has {len(template)}.")
    for name in re.findall(r"\{([^{}]*)\}", template):
        if name not in VARIABLES:
            raise OptionError(
                f"--prompt {path}: {{{name[:40]}}} is no variable.",
                f"There are {' and '.join(f'{{{v}}}' for v in VARIABLES)}.",
            )
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", template)):
        raise OptionError(f"--prompt {path}: a brace stands alone.", "Braces enclose variables, and nothing else.")
    if "{classes}" not in template:
        raise OptionError(f"--prompt {path} lacks {{classes}}: the question would offer nothing to choose from.")
    return Wording(template)
