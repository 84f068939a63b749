"""Run docs/first-steps.ipynb and write its output into it: `make docs` runs it, a test compares the text."""

import os
import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).with_name("first-steps.ipynb")


def executed() -> NotebookNode:
    """The notebook after a fresh run, without its times, nor run ids, which every change of code changes."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # A home of its own: what is counted there are the notebook's trials alone.
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute(
            env={**os.environ, "REVERSE_QE_HOME": folder}
        )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            for kind, text in output.get("data", {}).items():
                if kind.startswith("text/"):
                    output["data"][kind] = re.sub(r" \(run [0-9a-f]{12}\)", "", text)
    return notebook


def text_outputs(notebook: NotebookNode) -> list[str]:
    """What the cells print and return, as text; pictures left out."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return [output.get("text", output.get("data", {}).get("text/plain", "")) for output in outputs]


if __name__ == "__main__":
    nbformat.write(executed(), NOTEBOOK)
