"""Write the JSON schemas of specs and of accounts from their models: `make docs` runs it, a test compares."""

from backtests.spec.schema import SPEC_SCHEMA, spec_schema
from data.files.schema import schema_text
from paper.schema import PAPER_SCHEMA, paper_schema

if __name__ == "__main__":
    SPEC_SCHEMA.write_text(schema_text(spec_schema()), encoding="utf-8")
    PAPER_SCHEMA.write_text(schema_text(paper_schema()), encoding="utf-8")
