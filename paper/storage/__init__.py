"""SQLite files and the rows of records."""
