"""What is run: the spec, its costs and cash, the files of a user that it names."""
