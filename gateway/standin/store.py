"""Where everything is kept: one SQLite database, in memory or in a file.

The tables say what exists and what goes when something else goes; the queries stand beside the
rules that need them. Calls are short and run on the event loop: a stand-in serves one team, and
an in-memory query takes microseconds. Each HTTP call is one transaction, so that a call which is
refused half-way has done nothing.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Store"]

# NOCASE folds ASCII letters only, which is all that extension and key names may hold.
TABLES = """
CREATE TABLE IF NOT EXISTS profiles (
    customer_id TEXT PRIMARY KEY,
    attributes TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS extension_schemas (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    record_id INTEGER PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES profiles ON DELETE CASCADE,
    extension TEXT NOT NULL COLLATE NOCASE REFERENCES extension_schemas ON DELETE CASCADE,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_of ON records (customer_id, extension);
CREATE TABLE IF NOT EXISTS identification_keys (
    key_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    source TEXT NOT NULL COLLATE NOCASE,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS interactions (
    interaction_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    service_id TEXT,
    document TEXT NOT NULL,
    plain_text TEXT,
    structured_text TEXT,
    binary_content BLOB,
    binary_type TEXT
);
CREATE TABLE IF NOT EXISTS services (
    service_id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id TEXT,
    contact_key TEXT,
    started TEXT NOT NULL,
    completed TEXT,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS stages (
    stage_id INTEGER PRIMARY KEY AUTOINCREMENT,
    service_id INTEGER NOT NULL REFERENCES services ON DELETE CASCADE,
    level TEXT NOT NULL,
    started TEXT NOT NULL,
    completed TEXT,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FIRST_CUSTOMER_NUMBER = 36**3  # 0004Va58A92T1000, clear of the seeded ids


class Store:
    """One open database. SQL comes from the callers, always as a constant with `?` for values."""

    def __init__(self, path: str = ":memory:") -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.executescript(TABLES)

    def __repr__(self) -> str:
        return f"<Store {self.path}>"

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self.connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return found

    def change(self, sql: str, *values: Any) -> int:
        """How many rows were touched."""
        return self.connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """The number that the new row got."""
        return self.connection.execute(sql, values).lastrowid or 0

    def fact(self, name: str, default: str) -> str:
        """A single value of the server itself, such as its mode."""
        found = self.row("SELECT value FROM facts WHERE name = ?", name)
        return default if found is None else str(found["value"])

    def set_fact(self, name: str, value: str) -> None:
        self.change("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", name, value)

    def next_customer_id(self) -> str:
        """Sixteen characters that look like the samples; counted, so that a run can be repeated."""
        number = int(self.fact("next-customer", str(FIRST_CUSTOMER_NUMBER)))
        self.set_fact("next-customer", str(number + 1))
        tail = ""
        while number or len(tail) < 4:  # the width of the samples' last part
            number, digit = divmod(number, len(DIGITS))
            tail = DIGITS[digit] + tail
        return "0004Va58A92T" + tail


def packed(value: Any) -> str:
    """JSON for a column. ASCII only, so that any text a caller sent can be stored."""
    return json.dumps(value, allow_nan=False)


def unpacked(text: str) -> Any:
    return json.loads(text)
