"""How long `reverse-qe --help` takes beside `python -c "import click"`."""

import sys
from pathlib import Path

from measuring import show, time_in_turn

seconds = time_in_turn(
    {
        "reverse_qe_help": [str(Path(sys.executable).with_name("reverse-qe")), "--help"],
        "import_click": [sys.executable, "-c", "import click"],
    },
    rounds=21,
)
show(
    "Start of the command line",
    {"help_over_import_click": seconds["reverse_qe_help"] / seconds["import_click"]},
    seconds,
    as_json="--json" in sys.argv[1:],
)
