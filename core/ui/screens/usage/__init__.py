"""The usage page's parts, from top to bottom: which period, key figures, and five questions answered by charts."""
