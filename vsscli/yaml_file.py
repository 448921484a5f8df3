"""YAML files that people write, read in one way: what breaks is told with its line, and no name may stand twice."""

from pathlib import Path
from typing import Any

from vsscli.errors import OptionError


def read_yaml(path: Path, what: str, *, as_written: bool = False, private: bool = False) -> Any:
    """What the file ``path`` holds, which should be ``what``.

    ``as_written``: every scalar stays the text that it is. ``private``: nothing of the file's text is shown.
    OptionError naming the file, and the line where it breaks.
    """
    import yaml

    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), _loader(as_written))
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is no UTF-8 text"
        raise OptionError(f"{path} cannot be read as {what}: {reason}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = "" if private else getattr(error, "problem", None) or "nonsense"
        where = " ".join(filter(None, (f"line {mark.line + 1}" if mark else "", problem)))
        raise OptionError(f"{path} is no YAML{': ' if where else ''}{where}.") from None


def _loader(as_written: bool) -> Any:
    """A YAML loader that refuses a name that stands twice, of which YAML's own takes the last without a word."""
    import yaml

    def construct(loader: yaml.SafeLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a name is no text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return dict(base.construct_mapping(loader, node, deep))

    base: Any = yaml.BaseLoader if as_written else yaml.SafeLoader
    return type("Loader", (base,), {"construct_mapping": construct})
