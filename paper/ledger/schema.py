"""The tables of the ledger, and the steps from each version of them to the next."""

from paper.ledger.chain import chain_what_is_there

_TABLES = ("accounts", "events", "decisions", "intents", "order_states", "entries", "closes")


def _append_only(*tables: str) -> str:
    """A row that is written is never changed: what happens later is a row of its own."""
    return "\n".join(
        f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
        for table in tables
        for change in ("update", "delete")
    )


_VERSION_1 = """
CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    broker TEXT NOT NULL,
    first_session TEXT NOT NULL,
    prices TEXT NOT NULL,
    spec TEXT NOT NULL,
    opened_at TEXT NOT NULL
) STRICT;

CREATE TABLE events (
    event_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    session TEXT,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (
    session TEXT PRIMARY KEY,
    decided_at TEXT NOT NULL,
    market TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    regime TEXT NOT NULL,
    score REAL,
    equity REAL NOT NULL,
    cash REAL NOT NULL,
    targets TEXT NOT NULL,
    why TEXT NOT NULL,
    left_alone TEXT NOT NULL,
    last_state INTEGER NOT NULL
) STRICT;

CREATE TABLE intents (
    intent_id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL REFERENCES decisions (session),
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('sell', 'buy')),
    is_coin INTEGER NOT NULL CHECK (is_coin IN (0, 1)),
    units REAL CHECK (units > 0),
    money REAL CHECK (money > 0),
    least REAL NOT NULL,
    decision_price REAL NOT NULL,
    written_at TEXT NOT NULL,
    UNIQUE (session, symbol),
    CHECK ((side = 'sell') = (units IS NOT NULL) AND (side = 'buy') = (money IS NOT NULL))
) STRICT;

CREATE TABLE order_states (
    state_id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES intents (client_id),
    at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('sent', 'open', 'filled', 'partial', 'ended', 'rejected')),
    units_filled REAL NOT NULL,
    units_wanted REAL,
    reason TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX sent_once ON order_states (client_id) WHERE status = 'sent';

CREATE UNIQUE INDEX ended_once ON order_states (client_id) WHERE status NOT IN ('sent', 'open');

CREATE TABLE entries (
    entry_id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL UNIQUE,
    client_id TEXT REFERENCES intents (client_id),
    at TEXT NOT NULL,
    session TEXT NOT NULL,
    symbol TEXT NOT NULL,
    kind TEXT NOT NULL,
    price REAL,
    fees REAL NOT NULL,
    amount REAL NOT NULL,
    units REAL NOT NULL,
    cash_after REAL NOT NULL,
    units_after REAL NOT NULL,
    CHECK ((kind IN ('sell', 'buy')) = (client_id IS NOT NULL))
) STRICT;

CREATE INDEX entries_by_symbol ON entries (symbol, entry_id);

CREATE INDEX entries_by_time ON entries (at);

CREATE TABLE closes (
    session TEXT PRIMARY KEY,
    equity REAL NOT NULL,
    cash REAL NOT NULL,
    content_hash TEXT NOT NULL
) STRICT;
"""

# Who held which units at a close, so that equity can be rebuilt without reading every entry again.
_VERSION_2 = "ALTER TABLE closes ADD COLUMN positions TEXT NOT NULL DEFAULT '{}';\n"

# Orders end in the words of orders.csv: a table is made anew, for the old one allows its own words only.
_VERSION_3 = """
DROP TRIGGER order_states_no_update;

DROP TRIGGER order_states_no_delete;

DROP INDEX sent_once;

DROP INDEX ended_once;

ALTER TABLE order_states RENAME TO old_states;

CREATE TABLE order_states (
    state_id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES intents (client_id),
    at TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('sent', 'open', 'filled', 'reduced', 'unfilled', 'rejected')),
    units_filled REAL NOT NULL,
    units_wanted REAL,
    reason TEXT NOT NULL
) STRICT;

INSERT INTO order_states
SELECT state_id, client_id, at,
    CASE status WHEN 'partial' THEN 'reduced' WHEN 'ended' THEN 'unfilled' ELSE status END,
    units_filled, units_wanted, reason
FROM old_states ORDER BY state_id;

DROP TABLE old_states;

CREATE UNIQUE INDEX sent_once ON order_states (client_id) WHERE status = 'sent';

CREATE UNIQUE INDEX ended_once ON order_states (client_id) WHERE status NOT IN ('sent', 'open');

INSERT INTO events (at, kind, session, text)
SELECT strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now'), 'migration', NULL,
    'the ledger is of version 3: orders end reduced and unfilled, where they ended partial and ended'
WHERE EXISTS (SELECT 1 FROM accounts);

""" + _append_only("order_states")

# Why an entry is booked only now; and what a step looks up, so that none of its queries grows with the account: the
# intents that have not ended (the one table that follows from others: invariant I8), and which entries a close counted.
_VERSION_4 = """
ALTER TABLE entries ADD COLUMN reason TEXT NOT NULL DEFAULT '';

ALTER TABLE closes ADD COLUMN last_entry INTEGER;

CREATE TABLE open_intents (
    client_id TEXT PRIMARY KEY REFERENCES intents (client_id),
    sent INTEGER NOT NULL CHECK (sent IN (0, 1))
) STRICT;

INSERT INTO open_intents
SELECT client_id, EXISTS (SELECT 1 FROM order_states AS s WHERE s.client_id = i.client_id)
FROM intents AS i WHERE NOT EXISTS (
    SELECT 1 FROM order_states AS s WHERE s.client_id = i.client_id AND s.status NOT IN ('sent', 'open')
);

CREATE INDEX entries_by_order ON entries (client_id);

CREATE INDEX states_by_order ON order_states (client_id);

CREATE INDEX events_by_kind ON events (kind, event_id);

CREATE INDEX closes_by_equity ON closes (session, equity);
"""

# What a strategy of the user has seen, bar by bar, and at which of them it decided: it is asked again over these alone.
_VERSION_5 = """
CREATE TABLE strategy_bars (
    bar_id INTEGER PRIMARY KEY,
    session TEXT NOT NULL UNIQUE,
    decided_for TEXT UNIQUE REFERENCES decisions (session),
    last_entry INTEGER NOT NULL,
    last_state INTEGER NOT NULL,
    code TEXT NOT NULL,
    bars TEXT NOT NULL
) STRICT;

""" + _append_only("strategy_bars")

# Each row carries the hash of the one before (`paper.ledger.chain`); and which entries a decision knew.
_VERSION_6 = """
ALTER TABLE decisions ADD COLUMN last_entry INTEGER;

CREATE TABLE chain (
    link_id INTEGER PRIMARY KEY,
    of_table TEXT NOT NULL,
    row_key TEXT NOT NULL,
    width INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

""" + _append_only("chain")

# Statements stand apart by an empty line.
MIGRATIONS = (
    _VERSION_1 + "\n" + _append_only(*_TABLES),
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
    chain_what_is_there,
)
