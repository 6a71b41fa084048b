"""The page of reports: what is open, one report in full, looks that take two operators, blocks, and its end."""
