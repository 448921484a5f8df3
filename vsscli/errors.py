"""What can go wrong, as one tree.

    VssError
    ├── OptionError    a request that makes no sense: an option, a name, a combination
    ├── DataError      a dataset, a split list, a frame or a mask
    ├── RunError       a run folder: its manifest, its label maps, its place on the disk
    ├── ModelError     a model folder, its weights, its classes
    │   └── NotFiniteError   scores that are NaN or infinite
    └── DeviceError    memory or an accelerator that is not there

Every error carries one sentence that names the thing and the place, and a hint that says what to do.
The command line prints both and ends with exit code 2; nothing below ``vsscli/cli`` calls ``sys.exit``.
"""


class VssError(Exception):
    """The base of every error a user may see.

    ``message`` says what is wrong and where; ``hint`` says what to do about it (may be empty).
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["VssError"], tuple[str, str]]:
        return type(self), (self.message, self.hint)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class OptionError(VssError):
    """The request makes no sense."""


class DataError(VssError):
    """A dataset, a split list, a frame or a mask is not as it must be."""


class RunError(VssError):
    """A run folder is not as it must be, or cannot be written."""


class ModelError(VssError):
    """A model folder, its weights or its classes are not as they must be."""


class NotFiniteError(ModelError):
    """A network gave scores that are NaN or infinite."""


class DeviceError(VssError):
    """The machine lacks memory or the accelerator asked for."""
