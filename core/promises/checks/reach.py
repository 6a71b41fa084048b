"""To come."""

from core.promises.checks.house import _soon

no_public_address = encrypted_on_the_way = session_ends_with_the_browser = _soon
only_the_owner = lambda: _soon
