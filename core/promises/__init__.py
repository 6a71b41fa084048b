"""
What we promise, as one table: the studio prints these sentences, consent records their version, settings fill in
their numbers. A sentence stands here or nowhere.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from core.contracts import Contract
from core.settings import Settings


@dataclass(frozen=True)
class Promise:
    """One sentence of the policy. `at_a_glance` is its short form, read before a photo is added."""

    id: str
    sentence: str
    at_a_glance: str = ""
    with_others: str = ""  # the short form where a third party can be chosen as well

    def filled(self, settings: Settings) -> str:
        return self.sentence.format_map(_numbers(settings))

    def glance(self, settings: Settings) -> str:
        return self.at_a_glance.format_map(_numbers(settings))


PROMISES = (
    Promise(
        "processed_here",
        "The engine that is chosen before the upload is named there. The on-device engine works on this server alone: "
        "nothing leaves it, and it never falls over to anyone else.",
        "Made on this server{run_by}. Nothing is sent to anyone else.",
        "{made}. Nothing is sent to {others} unless you choose it; what it keeps then is not ours to erase.",
    ),
    Promise(
        "third_parties_by_name",
        "A third party gets a photo only for a run for which the person has chosen it by name. It gets pixels and the "
        "choices, no other data of the person. What lies there has a public address, follows its terms and is not ours "
        "to erase: it is listed with its end, and looked after until it is gone.",
    ),
    Promise(
        "erased_by_the_clock",
        "A photo and everything made from it are erased by the clock that is chosen before the run, at most {longest} "
        "after the photo was added, also when the run failed or was never finished. A clock can only become "
        "shorter.{early}",
        "Erased by the clock you choose, after {longest} at the latest, or the moment you say so.",
        "Here all is erased by the clock you choose, after {longest} at the latest, or the moment you say so.",
    ),
    Promise(
        "gone_means_gone",
        "An image is called gone only after storage was asked for it twice, in two ways, and did not have it.",
    ),
    Promise(
        "never_trained_on",
        "Photos and headshots are never used by us for training, data sets or improving algorithms.",
        "Never used for training.",
        "Never used for training by us. Others have terms of their own.",
    ),
    Promise(
        "no_biometrics",
        "No face recognition, no face features, no templates: a person's outline is found in memory for one run and "
        "is gone with it.",
    ),
    Promise(
        "only_the_owner",
        "Images here have no public address. They open only in the browser that made them, or with its claim code.",
        "Seen only in this browser, or with your claim code. No account, no name.",
        "What is here is seen only in this browser, or with your claim code. No account, no name.",
    ),
    Promise(
        "only_pixels_are_kept",
        "Position, camera, times and everything else but pixels is removed before a photo is stored. Of an image we "
        "keep its size, format and time of upload.",
    ),
    Promise(
        "encrypted",
        "Every stored image is encrypted under a key of its person; with the last image the key is destroyed.",
    ),
)


def glance(settings: Settings, *, here: bool = True, others: Sequence[str] = ()) -> list[str]:
    """The few lines that are read before a photo is added, with the numbers in force. `others`: third parties that
    can be chosen, and `here`: whether this server can be chosen as well."""
    said = [promise for promise in PROMISES if promise.at_a_glance]
    if not others:
        return [promise.glance(settings) for promise in said]
    names, numbers = " or ".join(others), _numbers(settings)
    made = f"Made on this server{numbers['run_by']}, or by {names}" if here else f"Made by {names}"
    texts = [promise.with_others or promise.at_a_glance for promise in said]
    return [text.format_map({**numbers, "made": made, "others": names}) for text in texts]


def version(settings: Settings) -> str:
    """Names the exact text that is in force: another number in a sentence is another version."""
    text = "\n".join(f"{promise.id}: {promise.filled(settings)}" for promise in PROMISES)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _numbers(settings: Settings) -> dict[str, str]:
    longest, early = settings.longest_contract, settings.erase_early_hours
    return {
        "longest": (Contract.HOUR if longest is Contract.PROCESS else longest).label,
        "early": f" Clocks of more than 24 hours end {early} hours early, so that this holds though our worker is down."
        if early
        else "",
        "run_by": f", run by {settings.run_by}" if settings.run_by else "",
    }
