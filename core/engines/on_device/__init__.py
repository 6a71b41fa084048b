"""The engine that works on this server alone: mask, matte, light, backdrop. Editing, not generation."""

from core.engines.on_device.engine import OnDevice

__all__ = ["OnDevice"]
