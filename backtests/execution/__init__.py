"""What a session does to a book: rules of filling, fills, results."""
