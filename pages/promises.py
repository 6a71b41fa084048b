"""Promises: each sentence that we give our word on, and whether it holds right now."""

from core.ui import widgets
from core.ui.app import services

widgets.frame("Promises", now=services().clock())
