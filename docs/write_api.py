"""Write docs/api.md, the Python words as the code declares them: `make docs` runs it, a test compares."""

import inspect
import re
from pathlib import Path

import reverse_qe

HEAD = """# Python words

Every word of `import reverse_qe`, as the code declares and describes it; [From Python](python.md) shows them at work.
`make docs` writes this page.
"""


def api() -> str:
    """A section a word: its declaration, and what it says of itself."""
    return "\n".join([HEAD, *(_section(name) for name in reverse_qe.__all__)])


def _section(name: str) -> str:
    word = getattr(reverse_qe, name)
    bases = f"({word.__base__.__name__})" if inspect.isclass(word) else ""
    head = f"class {name}{bases}" if bases else _declared(name, inspect.signature(word))
    return f"## {name}\n\n```python\n{head}\n```\n\n```text\n{inspect.getdoc(word)}\n```\n"


def _declared(name: str, signature: inspect.Signature) -> str:
    """A function's declaration, a parameter a line, names of types without their modules."""
    lines, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            lines.append("*")
            starred = True
        lines.append(str(parameter))
    body = "".join(f"    {line},\n" for line in lines)
    returned = inspect.formatannotation(signature.return_annotation)
    text = f"{name}(\n{body}) -> {returned}" if lines else f"{name}() -> {returned}"
    text = re.sub(r"= <.* at 0x[0-9a-f]+>", "= ...", text)  # an object has no name that stays
    text = re.sub(r"'([A-Z]\w*\[.*\])'", r"\1", text)
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)


if __name__ == "__main__":
    Path(__file__).with_name("api.md").write_text(api(), encoding="utf-8")
