"""Roles and operations on paper: a table for terminals, CSV, JSON, a page for browsers.

Each form is a file and writes a `Sheet`; none of them decides anything.
"""

from gateway.cli.sheets.page import MOST_CELLS, as_page
from gateway.cli.sheets.records import as_records
from gateway.cli.sheets.rows import as_rows
from gateway.cli.sheets.sheet import Sheet
from gateway.cli.sheets.terminal import as_text

__all__ = ["MOST_CELLS", "Sheet", "as_page", "as_records", "as_rows", "as_text"]
