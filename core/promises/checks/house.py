"""To come."""

from core.promises.shapes import Result, says, unknown


def _soon(svc, now) -> Result:
    return unknown(says("not measured yet"), says("Nothing has been measured yet."))


usage_belongs_to_nobody = logs_at_most_a_year = notice_before_a_change = breach_notice = backups_end_too = _soon


def nothing_is_sold():
    return _soon
