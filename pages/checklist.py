"""Checklist: what to ask any AI photo tool, answered by this installation."""

from core.ui import widgets
from core.ui.app import services

widgets.frame("Checklist", now=services().clock())
