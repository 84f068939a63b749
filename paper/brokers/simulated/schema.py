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

# Statements stand apart by an empty line.
MIGRATIONS = (_VERSION_1, _VERSION_2)
