"""The whole evidence of a thing: every test that can be made of it, in one table."""
