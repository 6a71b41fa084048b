"""The usage page's sections, from top to bottom: money."""
