"""What a look at the photo tells people before anything is spent: what was seen, and how to mend it."""

from core.engines.on_device.framing import ENLARGE_UP_TO, ENLARGED_MUCH, Frame
from core.engines.on_device.person import SURE, Person
from core.errors import EngineRefused
from core.language import N_, _
from core.ports import Finding

SMALLEST_HEAD = 64  # px in the photo; below, there is nothing to make a headshot of
SMALL_HEAD = 160  # px; below, results look soft

_SAYS = {
    "no_person": N_(
        "We can't find a person in this photo. Use one that shows your head and shoulders, "
        "with some light on your face."
    ),
    "person_too_small": N_(
        "We can't find a person large enough in this photo. Come closer to the camera, "
        "or use a photo that shows you from the chest up."
    ),
    "person_small": N_(
        "You are rather far away in this photo, so the result may look soft. "
        "A closer one, from the chest up, will be sharper."
    ),
    "low_resolution": N_(
        "The part of the photo we would use has few pixels, so the result may look soft. "
        "Use the original photo if you have it, or zoom out."
    ),
    "head_cut_at_top": N_(
        "Is the top of your head cut off? If so, use a photo with some room above it: we don't invent what is missing."
    ),
    "head_cut_at_side": N_("Your head seems to reach beyond the side of the photo. Use one that shows all of it."),
    "several_people": N_(
        "Is there someone else in this photo? A photo with only you gives a clean outline, "
        "and other people haven't agreed to be in it."
    ),
    "unsure_outline": N_(
        "We are not sure where you end and the background begins. "
        "A plainer background, or more light, gives cleaner edges."
    ),
    "too_tight": N_("Your head fills most of the photo. Step back a little, so that your shoulders show."),
    "tight_width": N_(
        "The photo is narrow around your shoulders, so the picture will be closer than usual. "
        "One with more room on both sides gives more choice."
    ),
    "turned_by_us": N_("We turned the photo upright. If that is wrong, use the turn button."),
}


def finding(code: str) -> Finding:
    return Finding(code=code, says=_SAYS[code])


def blocking(refusal: EngineRefused) -> Finding:
    """Why there can be no headshot, as something that was found."""
    return Finding(code=refusal.code, says=_SAYS.get(refusal.code, str(refusal)), blocking=True)


def refused(code: str) -> EngineRefused:
    return EngineRefused(_(_SAYS[code]), code=code)


def blocking_code(person: Person | None, scale: float) -> str | None:
    """Why no headshot is possible, if so. `scale`: photo px per mask px."""
    if person is None:
        return "no_person"
    if person.head.height * scale < SMALLEST_HEAD:
        return "person_too_small"
    return None


def hints(person: Person, frame: Frame, scale: float, *, turned_by_us: bool) -> list[Finding]:
    """`frame` in photo px."""
    width = person.shape.shape[1]
    head = person.head
    beyond = head.x - head.radius < -0.02 * width or head.x + head.radius > 1.02 * width
    enlarged = ENLARGE_UP_TO / max(frame.width, frame.height)
    small = head.height * scale < SMALL_HEAD
    seen = {
        "turned_by_us": turned_by_us,
        "several_people": person.others,
        "head_cut_at_top": "head_cut_at_top" in frame.compromises,
        "head_cut_at_side": beyond,
        "person_small": small,
        "low_resolution": enlarged > ENLARGED_MUCH and not small,
        "unsure_outline": person.certainty < SURE,
        "too_tight": "too_tight" in frame.compromises,
        "tight_width": "tight_width" in frame.compromises,
    }
    return [finding(code) for code, is_so in seen.items() if is_so]
