"""The promises page: one light, every promise with how it stands, and what anybody can check without us."""
