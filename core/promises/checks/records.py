"""What is noted of people has an end, too."""

from datetime import datetime

from core import erasing, records
from core.promises.shapes import Result, broken, kept, says
from core.services import Services


def records_end(svc: Services, now: datetime) -> Result:
    """Nobody's rows are here for longer after their last image, but for those of whom something is open."""
    months = svc.settings.records_months
    with svc.reading() as session:
        late = records.overdue(session, now, months=months)
        oldest = records.oldest_kept(session)
        stopped = erasing.is_stopped(session)
    figure = (
        says("the longest gone {age} ago, {late} overdue", age=now - oldest, late=late)
        if oldest
        else says("nobody's last image is gone yet")
    )
    if late:
        seen = says("The rows of {late} people are here for more than {months} months after their last image.",
                    late=late, months=months)  # fmt: skip
        return broken(figure, seen.followed_by(says("All erasing is stopped.")) if stopped else seen)
    return kept(
        figure,
        says(
            "We look for people whose last image was proved gone more than {months} months ago: there is nobody of "
            "whom anything is noted still, but for those of whom something is open.",
            months=months,
        ),
    )
