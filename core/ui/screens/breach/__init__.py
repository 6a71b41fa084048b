"""The page of breaches: what a leak would show now, noting one, telling the authority and people, and how it ended."""
