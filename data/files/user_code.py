"""Code of users: read from a file, loaded under a private name, and what it raises told in one line.

A file is read once; what is run, hashed and copied are those bytes. It is loaded anew each time, so that nothing which
one calculation leaves behind in its module reaches another.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from data.errors import InputError, ReverseQeError
from data.files.user_world import user_world


class LookAheadError(ReverseQeError):
    """Code of a user knows what its decision cannot know: one line that names the file, the column and the session."""


@dataclass(frozen=True)
class UserFile:
    """A file of the user, as it was when it was read."""

    path: Path
    content: bytes


@dataclass(frozen=True)
class UserCallable:
    """A function or class in a file of the user."""

    file: UserFile
    name: str

    def load(self) -> Callable[..., Any]:
        """Run the file under a private module name and return what it calls `name`.

        Raises:
            InputError: the file raises, has nothing of this name, or it cannot be called.
        """
        found = getattr(_run(self.file), self.name, None)
        if found is None:
            raise InputError(f"{self.file.path} has no {self.name}; define it there, or mend the name in the spec")
        if not callable(found):
            raise InputError(
                f"{self.file.path}: {self.name} is of type {type(found).__name__}, wanted a function or a class"
            )
        loaded: Callable[..., Any] = found
        return loaded


_REFERENCE = r"^.*\.py:[^\W\d]\w*$"


def check_reference(reference: str) -> str:
    """Return a reference as it is.

    Raises:
        ValueError: it is no ``file.py:name``.
    """
    file, _, name = reference.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ValueError("wanted file.py:name")
    return reference


Reference = Annotated[str, AfterValidator(check_reference), Field(json_schema_extra={"pattern": _REFERENCE})]
"""``file.py:name``, in a model."""


def read_user_file(path: Path) -> UserFile:
    """Read a file that the user named.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return UserFile(path, path.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error  # a zero byte in a path is no OSError
        raise InputError(
            f"{path} cannot be read: {reason}; a path in a spec begins at the spec's folder, one that is set "
            "beside it at the current folder"
        ) from error


@contextmanager
def user_faults(path: Path) -> Iterator[None]:
    """Run code of the user in `user_world`, and turn what it raises into one line that names its file and line.

    Raises:
        InputError: anything was raised, or ours was, which then names the file too.
        LookAheadError: ours was.
    """
    try:
        with user_world():
            yield
    except (InputError, LookAheadError) as error:
        told = _told(error)
        if told.startswith(str(path)):
            raise
        kind = LookAheadError if isinstance(error, LookAheadError) else InputError
        raise kind(f"{_place(path, error)}: {told}") from error
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: {type(error).__name__}: {error.msg}") from error
    except KeyboardInterrupt:
        # Of whoever waits for the program.
        raise
    # A file that ends the whole program is at fault like one that raises.
    except BaseException as error:
        raise InputError(f"{_place(path, error)}: {type(error).__name__}: {_told(error)}") from error


def _told(error: BaseException) -> str:
    """The text of an error; it may be one of the user's, whose text fails."""
    try:
        return str(error)
    except BaseException as failure:
        return f"and its text cannot be made ({type(failure).__name__})"


def _run(file: UserFile) -> Any:
    digest = hashlib.sha256(str(file.path.resolve()).encode() + b"\0" + file.content).hexdigest()
    spec = spec_from_file_location(f"_reverse_qe_user_{digest[:12]}", file.path)
    if spec is None:
        raise InputError(f"got {file.path}, wanted a Python file, named file.py")
    module = module_from_spec(spec)
    # Data classes and Backtrader's classes look their module up by its name.
    sys.modules[spec.name] = module
    try:
        with user_faults(file.path):
            # Not by the module's loader: it would run what the file holds now, or what it left in __pycache__.
            exec(compile(file.content, str(file.path), "exec"), module.__dict__)
    except ReverseQeError:
        sys.modules.pop(spec.name, None)
        raise
    return module


def _place(path: Path, error: BaseException) -> str:
    """The file, and the line of it that was last reached, where one was: by the error or by what caused it."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    if line is not None:
        return f"{path}, line {line}"
    return str(path) if error.__cause__ is None else _place(path, error.__cause__)
