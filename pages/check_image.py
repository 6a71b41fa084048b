"""Check an image: what its file says of where it comes from. Nothing is kept."""

from core.ui import widgets
from core.ui.app import services

widgets.frame("Check an image", now=services().clock())
