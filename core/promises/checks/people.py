"""To come."""

from core.promises.checks.house import _soon

erased_on_request = rights_in_time = adults_only = _soon
