"""From folders of CSV files to a snapshot."""
