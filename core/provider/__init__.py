"""Engines that are third parties: what is asked of them, what they hold of people, and what they charge."""
