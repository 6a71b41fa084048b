"""What people choose for their browser, which remembers it in a cookie that is the same for everybody."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core import access, preferences
from core.guard import Counted, session_hash, set_count_cookie, set_preferences_cookie, visitor_of
from core.language import _
from core.services import Services
from core.web.answers import PRIVATE, comes_from_here, nothing_here, plainly


class Choices:
    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def count_choice(self, request: Request) -> Response:
        """Whether this browser is counted, as its person has just said on My photos. Only a cookie remembers it."""
        svc, choice = self._services(), request.path_params["choice"]
        offered = {Counted.NO, Counted.YES} | ({Counted.GA} if svc.settings.ga4_measurement_id else set())
        if choice not in offered:
            return nothing_here()
        if not comes_from_here(request):
            return plainly(_("Press the button on My photos."), 403)
        who = session_hash(request.scope)
        if choice == Counted.NO and who is not None:
            access.stop_counting(svc, who)
        response = RedirectResponse("/my_photos", status_code=303, headers=PRIVATE)
        set_count_cookie(response, request.scope, Counted(choice))
        return response

    async def set_preferences(self, request: Request) -> Response:
        """What this browser prefers from now on, as its person has just said; then back to where they said it."""
        if not comes_from_here(request):
            return plainly(_("Press the button on one of our pages."), 403)
        try:
            said = preferences.of_form(await request.body())
            before, terms = visitor_of(request.scope).preferences, self._services().settings.terms
            wanted = said.on_top_of(before, offered=terms.offered)
        except ValueError:
            return plainly(_("This cannot be chosen here."), 400)
        response = RedirectResponse(f"/{said.back}", status_code=303, headers=PRIVATE)
        set_preferences_cookie(response, request.scope, wanted)
        return response
