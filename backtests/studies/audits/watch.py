"""What code of a user reads or keeps by itself: no other future can be put to it, and what is kept may hide a leak."""

import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path
from types import FrameType

from backtests.identity import ROOT
from data.files.cache import cache_folder

_WRITES = frozenset("wax+")
_DEEP = 200


class Watch:
    """Hears of files, hosts and programs that are asked for below a user's file, until the process ends."""

    def __init__(self, paths: Collection[Path]) -> None:
        """Begin to listen; Python offers no way to stop, so this is for a process that will end.

        Args:
            paths: of the user's files.
        """
        self.reads: dict[str, None] = {}
        self.writes: dict[str, None] = {}
        self._mine = {str(path) for path in paths}
        installed = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
        self._ours = tuple({*installed, str(ROOT), str(cache_folder()), "/dev", "/proc", "/sys", "/usr/share/zoneinfo"})
        if self._mine:
            sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            path, mode = given[0], given[1]
            if isinstance(path, str | bytes | Path) and self._by_user():
                self._note(
                    path if isinstance(path, bytes) else str(path), isinstance(mode, str) and bool(_WRITES & set(mode))
                )
        elif event in ("socket.connect", "subprocess.Popen", "os.system") and self._by_user():
            what = given[1] if event == "socket.connect" else given[0]
            self.reads[f"{event.partition('.')[0]} {what}"] = None

    def _note(self, path: str | bytes, is_write: bool) -> None:
        name = path.decode(errors="replace") if isinstance(path, bytes) else path
        if name in self._mine or str(Path(name).absolute()).startswith(self._ours):
            return
        (self.writes if is_write else self.reads)[name] = None

    def _by_user(self) -> bool:
        """Whether a file of the user asks, and it is no module that is imported."""
        frame: FrameType | None = sys._getframe(2)
        for _ in range(_DEEP):
            if frame is None or frame.f_code.co_filename.startswith("<frozen importlib"):
                return False
            if frame.f_code.co_filename in self._mine:
                return True
            frame = frame.f_back
        return False
