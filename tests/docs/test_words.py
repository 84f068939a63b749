"""The pages that are written by hand hold no more words than before the documentation became a site."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# What the same count gave before guides, tutorials and a gallery were added: a reader's time has not grown since.
CEILING = 43_011
# Whole pages that a script makes from code and runs; of other pages it makes what stands between marks.
MADE = {
    "api.md": "write_api.py",
    "commands.md": "write_command_reference.py",
    "exposures.md": "write_exposures.py",
    "spec-keys.md": "write_spec_keys.py",
}
MADE_PART = re.compile(r"^<!-- [^>\n]*\bbegin\b[^>\n]*-->$.*?^<!-- [^>\n]*\bend\b[^>\n]*-->$", re.M | re.S)
FENCED_CODE = re.compile(r"^ *```.*?^ *```$", re.M | re.S)
INDENTED_CODE = re.compile(r"(?<=\n\n)(?: {4,}[^\n]*\n|\n)+")


def words_by_hand(page: str) -> int:
    """Words of a page in markdown, in prose and tables; what is code, or made by a script, does not count."""
    for left_out in (MADE_PART, FENCED_CODE, INDENTED_CODE):
        page = left_out.sub("\n", page)
    return sum(any(map(str.isalnum, word)) for word in page.split())


def test_the_pages_written_by_hand_hold_no_more_words_than_before() -> None:
    pages = [ROOT / "README.md", *(page for page in DOCS.rglob("*.md") if page.name not in MADE)]
    words = {page.relative_to(ROOT).as_posix(): words_by_hand(page.read_text(encoding="utf-8")) for page in pages}
    total = sum(words.values())
    longest = ", ".join(f"{page} {words[page]:,}" for page in sorted(words, key=lambda page: -words[page])[:5])
    assert total <= CEILING, (
        f"{total:,} words, {total - CEILING:,} too many: cut what a page repeats of another one (one says it, others "
        f"link to it), or let a script make it from the code. Raise no ceiling. Longest: {longest}"
    )


def test_prose_and_tables_count_and_code_and_what_a_script_makes_do_not() -> None:
    page = """\
# Two words

Four words of prose.

- a list's item
  goes on

| one | cell |
|---|---|

    indented code does not count

    nor does this

```sh
nor fenced code
```

<!-- figures: begin (make docs) -->

nor what a script makes

<!-- figures: end -->
<!-- x: begin -->
nor this
<!-- x: end -->
The end.
"""
    counted = ("Two words", "Four words of prose.", "a list's item goes on", "one cell", "The end.")
    assert words_by_hand(page) == sum(len(line.split()) for line in counted)


def test_a_page_that_does_not_count_is_made_by_a_script() -> None:
    for page, script in MADE.items():
        assert page in (DOCS / script).read_text(encoding="utf-8")
        assert (DOCS / page).exists()
