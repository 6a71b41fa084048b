"""APIMart, a third party that makes headshots: its words, its HTTP, its answers, and the pictures it leaves about."""
