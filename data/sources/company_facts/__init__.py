"""A company's years from the SEC's ``companyfacts``: shares, book equity, earnings, sales and free cash flow."""
