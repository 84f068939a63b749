"""Files that people and processes share: written whole or not at all, held by one writer, read as models."""
