"""What is found, in rows and sentences for people."""
