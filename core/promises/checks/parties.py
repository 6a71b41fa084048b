"""To come."""

from core.promises.checks.house import _soon

third_parties_by_name = _soon
processed_here = never_trained_on = no_biometrics = lambda: _soon
