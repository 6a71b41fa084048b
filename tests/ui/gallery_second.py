"""A second page: what stays when one goes from page to page, and how the empty state looks."""

from datetime import UTC, datetime

from core.ui import widgets

widgets.frame("My photos", "Everything of yours that is here, and when it goes.", now=datetime.now(UTC))
widgets.empty_state("Nothing of yours is here.", "Make a headshot", "gallery.py")
