"""The tables of the simulated broker's file, and the steps from each version of them to the next."""

_VERSION_1 = """
CREATE TABLE orders (
    order_id INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    is_coin INTEGER NOT NULL,
    units REAL,
    money REAL,
    least REAL NOT NULL,
    decision_price REAL NOT NULL,
    written_at TEXT NOT NULL,
    status TEXT NOT NULL,
    units_filled REAL NOT NULL,
    units_wanted REAL,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE fills (
    fill_id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES orders (client_id),
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    units REAL NOT NULL,
    price REAL NOT NULL,
    fees REAL NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE movements (
    movement_id TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    symbol TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount REAL NOT NULL,
    units REAL NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE books (
    session TEXT PRIMARY KEY,
    cash REAL NOT NULL,
    units TEXT NOT NULL,
    stock_flow REAL NOT NULL
) STRICT;
"""

# The words of orders.csv, as every broker and the ledger have them.
_VERSION_2 = """
UPDATE orders SET status = 'reduced' WHERE status = 'partial';

UPDATE orders SET status = 'unfilled' WHERE status = 'ended';
"""

# What was known of the sessions when they were played, and what was owed for them later. Of a session from before there
# is no record: what is owed for it is worked out once, and its bars are not compared.
_VERSION_3 = """
ALTER TABLE movements ADD COLUMN reason TEXT NOT NULL DEFAULT '';

ALTER TABLE books ADD COLUMN bars TEXT;

ALTER TABLE books ADD COLUMN known_actions TEXT;

ALTER TABLE books ADD COLUMN known_bars TEXT;

CREATE TABLE late (
    late_id INTEGER PRIMARY KEY,
    after TEXT NOT NULL REFERENCES books (session),
    session TEXT NOT NULL,
    symbol TEXT NOT NULL,
    kind TEXT NOT NULL,
    units REAL NOT NULL,
    amount REAL NOT NULL
) STRICT;

CREATE TABLE notices (
    notice_id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE INDEX orders_by_status ON orders (status);

CREATE INDEX movements_by_time ON movements (at);

CREATE INDEX late_by_session ON late (after);
"""

# Statements stand apart by an empty line.
MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3)
