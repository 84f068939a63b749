"""The tables of the simulated broker's file."""

SCHEMA = """
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
