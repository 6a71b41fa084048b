"""
Usage: how often things happen, and nothing that could be traced to anybody.

`metrics` says what is counted, `counting` counts it, `publishing` decides what may be shown of it, and `reports` makes
the founders' page, export and mail out of that alone.
"""
