"""What new filings say, for a person to confirm."""

import shlex
from collections.abc import Iterator

from data.sources.edgar_drafts import Draft, Drafts


def draft_lines(drafts: Drafts) -> Iterator[str]:
    """Every filing with its links, its passages and the commands that add its rows, in lines.

    Args:
        drafts: of a company.
    """
    results, offerings = drafts.since
    yield (
        f"{drafts.company}: {len(drafts.drafts)} filings, of releases after {results}, of offerings after {offerings}. "
        "EDGAR's list may lag by some hours."
    )
    for draft in drafts.drafts:
        yield ""
        yield from _lines(draft)
    if drafts.left:
        yield f"{drafts.left} older filings were not read; take a later --since to read fewer, or read them at EDGAR."


def _lines(draft: Draft) -> Iterator[str]:
    yield f"{draft.filing.form} {draft.filing.accession}, filed {draft.filing.filed}"
    for kind, link in draft.links.items():
        yield f"  {kind}: {link}"
    for note in draft.notes:
        yield f"  ! {note}"
    for kind, passage in draft.passages:
        over = " | ".join(part for part in (passage.unit, passage.columns) if part)
        yield f"  {passage.what} ({kind}): {passage.text}" + (f"   [{over}]" if over else "")
    for kind, cells in draft.rows:
        words = [f"{name}={cell}" for name, cell in cells.items()]
        yield f"  To confirm: {shlex.join(['reverse-qe', 'events', 'add', kind, *words])}"
