"""How long `reverse-qe --help` takes beside `import click`, and `reverse-qe signal` beside what it imports.

The signal is that of the sample market, or of a kept one:

    python benchmarks/cli_startup.py --market history
"""

import argparse
import subprocess
import sys
from pathlib import Path

from measuring import show, time_in_turn

COMMAND = str(Path(sys.executable).with_name("reverse-qe"))
MARK = "modules:"
LIST_MODULES = f"""
import sys
from reverse_qe.cli import main
try:
    main()
except SystemExit:
    pass
print("{MARK}", *sys.modules)
"""
IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
"""


def modules_of(words: list[str]) -> list[str]:
    """All that a command has imported by its end."""
    ran = subprocess.run([sys.executable, "-c", LIST_MODULES, *words], check=True, capture_output=True, text=True)
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith(MARK))
    return [name for name in line.split()[1:] if name != "__main__"]


def main() -> None:
    """Time all four in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="sample")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    signal = ["signal", "--market", given.market]
    seconds = time_in_turn(
        {
            "reverse_qe_help": [COMMAND, "--help"],
            "import_click": [sys.executable, "-c", "import click"],
            "reverse_qe_signal": [COMMAND, *signal],
            "imports_of_signal": [sys.executable, "-c", IMPORT, *modules_of(signal)],
        },
        rounds=given.rounds,
    )
    ratios = {
        "help_over_import_click": seconds["reverse_qe_help"] / seconds["import_click"],
        "signal_over_its_imports": seconds["reverse_qe_signal"] / seconds["imports_of_signal"],
    }
    show("Start of the command line", ratios, seconds, as_json=given.json)


if __name__ == "__main__":
    main()
