"""``python -m reverse_qe`` is ``reverse-qe``."""

from reverse_qe.cli import main

main()
