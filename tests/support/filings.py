"""Filings as EDGAR serves them: the head, the documents, and lists of filings in the columns of a recorded one.

Sentences and figures are those of the filings that are named, cut down to what a test reads.
"""

from collections.abc import Sequence
from typing import Any

META_CIK = 1326801
META_RELEASE = "0001628280-26-050596"
META_LINK = f"https://www.sec.gov/Archives/edgar/data/{META_CIK}/000162828026050596/meta-06302026xexhibit991.htm"
GUIDANCE = (
    "We anticipate 2026 capital expenditures, including principal payments on finance leases, to be in the range of "
    "$130-145 billion, narrowed from our prior outlook of $125-145 billion."
)
SPENT = "Capital expenditures, including principal payments on finance leases, were $31.08 billion."

# The cover of AMD's final prospectus of August 2026, and the first words of its preliminary one.
AMD_FINAL = (
    "Filed pursuant to Rule 424(b)(5) PROSPECTUS SUPPLEMENT (To prospectus dated August 13, 2026) $4,750,000,000 "
    "$1,250,000,000 4.600% Senior Notes due 2029 $1,500,000,000 5.000% Senior Notes due 2031 $1,000,000,000 5.250% "
    "Senior Notes due 2033 $1,000,000,000 5.500% Senior Notes due 2036 Advanced Micro Devices, Inc."
)
AMD_PRELIMINARY = (
    "The information in this preliminary prospectus supplement is not complete and may be changed. This preliminary "
    "prospectus supplement and the accompanying prospectus are not an offer to sell these securities."
)


def filing_text(accession: str, accepted: str, *documents: tuple[str, str, str]) -> str:
    """A whole filing: type, file name and text of each document."""
    parts = [
        f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>{number}\n<FILENAME>{file}\n<TEXT>\n{text}\n</TEXT>\n</DOCUMENT>\n"
        for number, (kind, file, text) in enumerate(documents, start=1)
    ]
    head = f"<ACCEPTANCE-DATETIME>{accepted}\nACCESSION NUMBER:\t\t{accession}\n" if accepted else ""
    return (
        f"<SEC-DOCUMENT>{accession}.txt : 20260729\n<SEC-HEADER>{accession}.hdr.sgml : 20260729\n{head}</SEC-HEADER>\n"
        + "".join(parts)
        + "</SEC-DOCUMENT>\n"
    )


def meta_release(exhibit: str = "EX-99.1") -> str:
    """Meta's release of the second quarter of 2026: its outlook, and rows of its cash flow statement."""
    page = f"""<html><head><title>Document</title><style>.a {{ color: red }}</style></head><body>
<div style="display:none"><ix:header>capital expenditures of 1 in millions</ix:header></div>
<p>Second quarter&nbsp;2026 results</p>
<p>{SPENT}</p>
<div><span>CFO Outlook Commentary</span></div>
<p>{GUIDANCE} This is unlike our taxes.</p>
<p>(In millions)</p><p>(Unaudited)</p>
<table><tr><td></td><td colspan="6">Three Months Ended June 30,</td></tr>
<tr><td></td><td>2026</td><td></td><td>2025</td></tr>
<tr><td><p>Net cash provided by operating activities</p></td><td>$</td><td>31,862</td><td></td></tr>
<tr><td>Purchases of property and equipment</td><td>(</td><td>30,116</td><td>)</td></tr>
<tr><td>Principal payments on finance leases</td><td>(</td><td>962</td><td>)</td></tr></table>
</body></html>"""
    body = "<html><body><p>Item 2.02 Results of Operations and Financial Condition</p></body></html>"
    return filing_text(
        META_RELEASE,
        "20260729160514",
        ("8-K", "meta-20260729.htm", body),
        (exhibit, "meta-06302026xexhibit991.htm", page),
        ("GRAPHIC", "logo.jpg", "capital expenditures 1 in millions"),
    )


def submissions(cik: int, rows: Sequence[tuple[str, str, str, str]]) -> dict[str, Any]:
    """A list of filings: accession, day, form and items of each."""
    accession, filed, form, items = zip(*rows, strict=True) if rows else ((), (), (), ())
    return {
        "cik": f"{cik:010d}",
        "filings": {
            "recent": {
                "accessionNumber": list(accession),
                "filingDate": list(filed),
                "reportDate": list(filed),
                "acceptanceDateTime": [f"{day}T20:05:14.000Z" for day in filed],
                "form": list(form),
                "items": list(items),
            },
            "files": [],
        },
    }
