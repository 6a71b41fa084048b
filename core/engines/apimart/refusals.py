"""What is not sent on, however politely it is asked for."""


def refuses(note: str) -> str | None:
    """Why this note cannot be sent, as a sentence for who wrote it. None: it can."""
    return None
