"""
The table: every sentence that we promise, with what keeps it and what measures it. A sentence stands here or nowhere.

Sentences and the words beside them are templates: `numbers` fills in the settings in force, and other languages
translate the template. Their order is the order in which they are read.
"""

from datetime import timedelta
from typing import Final

from core.language import N_
from core.promises.checks import house, images, parties, people, reach, records
from core.promises.shapes import Promise

SOON: Final = timedelta(minutes=30)
"""Time to look whether the measuring is at fault, or a worker is being mended."""
AT_ONCE: Final = timedelta(minutes=10)
A_DAY: Final = timedelta(days=1)

ERASE_NOW: Final = N_("Erase everything at once on My photos, or with your claim code from any browser.")
ASK_US: Final = N_("Write to us: My photos has a form, and the contact stands in the policy.")
TELL_US: Final = N_("Tell us what you saw. Until it is mended you may erase everything on My photos.")
COMPLAIN: Final = N_("Remind us, or complain to the data protection authority.")

PROMISES: Final[tuple[Promise, ...]] = (
    Promise(
        id="processed_here",
        called=N_("processed here"),
        group="who sees them",
        sentence=N_(
            "The engine that is chosen before the upload is named there. The on-device engine sends "
            "nothing to anyone, and it never falls over to anyone else."
        ),
        at_a_glance=N_("Made on this server{run_by}.{stored} Nothing is sent to anyone else."),
        with_others=N_(
            "{made}.{stored} Nothing is sent to {others} unless you choose it; what it keeps then is not ours to erase."
        ),
        reads=("run_by", "s3_endpoint_url"),
        enforced_by=("core.engines.on_device.engine.OnDevice", "core.generations.request"),
        measured=N_(
            "We read our own source for anything in the engine that could reach a network, and look whether any "
            "run that was to stay here was sent out."
        ),
        owner="founder",
        grace=AT_ONCE,
        reader_may=ERASE_NOW,
        check=parties.processed_here(),
    ),
    Promise(
        id="third_parties_by_name",
        called=N_("third parties by name"),
        group="who sees them",
        sentence=N_(
            "A third party gets to see a photo only for a run for which the person has chosen it by name. It gets "
            "pixels and the choices, no other data of the person. What lies there has a public address, follows its "
            "terms and is not ours to erase: it is listed with its end, and looked after until it is gone."
        ),
        reads=(
            "apimart_api_key",
            "apimart_hand_over",
            "s3_endpoint_url",
            "smtp_host",
            "imap_host",
            "ga4_measurement_id",
        ),
        enforced_by=("core.third_parties.third_parties", "core.provider.runs.step", "core.provider.residue.step"),
        measured=N_(
            "Everyone who was sent a picture has to stand in the list of third parties, only runs that chose "
            "them may have been sent, and every address there has to be looked at when its time is over."
        ),
        owner="founder",
        grace=SOON,
        reader_may=N_("Choose the on-device engine: then nobody else gets anything."),
        check=parties.third_parties_by_name,
    ),
    Promise(
        id="erased_by_the_clock",
        called=N_("erased by the clock"),
        group="your photos",
        sentence=N_(
            "A photo and everything made from it are erased by the clock that is chosen before the run, at most "
            "{longest} after the photo was added, also when the run failed or was never finished. A clock can only "
            "become shorter.{early}"
        ),
        at_a_glance=N_("Erased by the clock you choose, after {longest} at the latest, or the moment you say so."),
        with_others=N_(
            "Here all is erased by the clock you choose, after {longest} at the latest, or the moment you say so."
        ),
        reads=("longest_days", "longest_contract", "erase_early_hours", "sweep_every_seconds"),
        enforced_by=("core.retention.sweep", "core.retention.erase_copies", "core.contracts.Terms.run_by"),
        measured=N_(
            "We look at every image that is here: none may be past its clock by more than 10 minutes, none may "
            "have a longer one than promised, and a sweep has to have come by just now."
        ),
        owner="founder",
        grace=SOON,
        reader_may=ERASE_NOW,
        check=images.erased_by_the_clock,
    ),
    Promise(
        id="available_until",
        called=N_("available until"),
        group="your photos",
        sentence=N_(
            "Headshots can be opened and downloaded until their clock ends, and no longer. Nothing is erased "
            "before that unless its owner asks."
        ),
        reads=("longest_days", "longest_contract"),
        enforced_by=("core.models.Copy.may_be_read", "core.reconcile.compare", "core.lifecycle.judge"),
        measured=N_(
            "We ask storage for the oldest and the newest image that should be there, and compare everything "
            "with the rows each night."
        ),
        owner="founder",
        grace=SOON,
        reader_may=ASK_US,
        check=images.available_until,
    ),
    Promise(
        id="gone_means_gone",
        called=N_("gone means gone"),
        group="your photos",
        sentence=N_(
            "An image is called gone only after storage was asked for it twice, in two ways, and did not have it."
        ),
        reads=("canary_every_minutes",),
        enforced_by=("core.proof.Proof", "core.models.Evidence", "core.canary.release"),
        measured=N_(
            "The database has to refuse a “gone” without that evidence, a test picture goes the whole way every "
            "hour and is asked for again, and nothing that was gone may have come back."
        ),
        owner="founder",
        grace=SOON,
        reader_may=N_("Check your receipt here: it says when storage was asked, and what it answered."),
        check=images.gone_means_gone,
    ),
    Promise(
        id="never_trained_on",
        called=N_("never trained on"),
        group="who sees them",
        sentence=N_("Photos and headshots are never used by us for training, data sets or improving algorithms."),
        at_a_glance=N_("Never used for training."),
        with_others=N_("Never used for training by us. Others have terms of their own."),
        reads=("apimart_api_key",),
        enforced_by=("core.promises.source.Source", "core.third_parties.third_parties"),
        measured=N_(
            "We read our own source: nothing in it trains anything, and only the named ways out can reach a "
            "network. What third parties do with what they are sent is quoted from their terms, with what we could not "
            "establish."
        ),
        owner="founder",
        grace=A_DAY,
        reader_may=N_("Choose the on-device engine: then nobody else gets anything."),
        check=parties.never_trained_on(),
    ),
    Promise(
        id="no_biometrics",
        called=N_("no biometrics"),
        group="who sees them",
        sentence=N_(
            "No face recognition, no face features, no templates: a person's outline is found in memory for one "
            "run and is gone with it."
        ),
        enforced_by=("core.promises.source.Source", "core.promises.source.installed"),
        measured=N_(
            "We read our own source and the list of what is installed for anything that recognises or measures "
            "faces, and the tables for a column that could hold it."
        ),
        owner="founder",
        grace=A_DAY,
        reader_may=TELL_US,
        check=parties.no_biometrics(),
    ),
    Promise(
        id="only_the_owner",
        called=N_("only the owner"),
        group="who sees them",
        sentence=N_(
            "Images here have no public address. They open only in the browser that made them, or with its "
            "claim code. {looks}"
        ),
        at_a_glance=N_("Seen only in this browser, or with your claim code.{exception} No account, no name."),
        with_others=N_(
            "What is here is seen only in this browser, or with your claim code.{exception} No account, no name."
        ),
        reads=("look_at_reported",),
        enforced_by=(
            "core.access.may_read",
            "core.access.own_run",
            "core.access.open_with_code",
            "core.abuse.glass.look",
        ),
        measured=N_(
            "A stranger's session asks for the oldest and the newest image and its run, and has to be told that "
            "there is nothing. Every look of an operator that is noted has to have been allowed by another one, for 10 "
            "minutes."
        ),
        owner="founder",
        grace=AT_ONCE,
        reader_may=ERASE_NOW,
        check=reach.only_the_owner(),
    ),
    Promise(
        id="no_public_address",
        called=N_("no public address"),
        group="who sees them",
        sentence=N_(
            "From outside, every address of an image is answered as if nothing had ever been there: without a "
            "cookie, and with anybody else's."
        ),
        reads=("public_url", "s3_endpoint_url"),
        enforced_by=("core.guard.Guard", "core.web.routes"),
        measured=N_(
            "We ask our own server for images by their addresses as a stranger would, over HTTP, and storage "
            "for its objects without a key."
        ),
        owner="founder",
        grace=AT_ONCE,
        reader_may=ERASE_NOW,
        check=reach.no_public_address,
    ),
    Promise(
        id="only_pixels_are_kept",
        called=N_("only pixels are kept"),
        group="your photos",
        sentence=N_(
            "Position, camera, times and everything else but pixels is removed before a photo is stored. Of an "
            "image we keep its size, format and time of upload."
        ),
        enforced_by=("core.intake.read",),
        measured=N_(
            "A test photo that carries all of this goes the way of every upload, and is searched for what is left."
        ),
        owner="founder",
        grace=SOON,
        reader_may=ERASE_NOW,
        check=images.only_pixels_are_kept(),
    ),
    Promise(
        id="encrypted",
        called=N_("encrypted"),
        group="who sees them",
        sentence=N_(
            "Every stored image is encrypted under a key of its person; with the last image the key is destroyed."
        ),
        reads=("master_key",),
        enforced_by=("core.vault.Vault.put", "core.retention.end_subject_if_over"),
        measured=N_(
            "We take the oldest and the newest image as storage has them: none may open as a picture, and each "
            "key has to lie sealed."
        ),
        owner="founder",
        grace=AT_ONCE,
        reader_may=ERASE_NOW,
        check=images.encrypted,
    ),
    Promise(
        id="encrypted_on_the_way",
        called=N_("encrypted on the way"),
        group="who sees them",
        sentence=N_(
            "Between browsers, this server, storage and mail everything travels encrypted, or does not leave "
            "this machine."
        ),
        reads=(
            "public_url",
            "allowed_hosts",
            "database_url",
            "s3_endpoint_url",
            "smtp_security",
            "imap_security",
            "apimart_base_url",
        ),
        enforced_by=("core.bootstrap.build", "core.adapters.smtp.SmtpPost", "core.adapters.imap.ImapInbox"),
        measured=N_("We look at the way to each of them as it is set up."),
        owner="founder",
        grace=SOON,
        reader_may=TELL_US,
        check=reach.encrypted_on_the_way,
    ),
    Promise(
        id="session_ends_with_the_browser",
        called=N_("session ends with the browser"),
        group="who sees them",
        sentence=N_(
            "The one cookie that opens your photos is random, holds nothing about you, and ends with the browser."
        ),
        enforced_by=("core.guard.set_session_cookie", "core.guard.harden_cookie"),
        measured=N_("We open our own server as a new browser and look at the cookie that it hands out."),
        owner="founder",
        grace=SOON,
        reader_may=N_("Close the browser. Your claim code opens your photos in another one."),
        check=reach.session_ends_with_the_browser,
    ),
    Promise(
        id="erased_on_request",
        called=N_("erased on request"),
        group="your requests",
        sentence=N_(
            "Whoever asks for erasure has everything erased and shown to be gone within 48 hours of the receipt "
            "of the request, in the product at once."
        ),
        reads=("imap_host", "mail_every_seconds"),
        enforced_by=("core.requests.step", "core.sla.due_at", "core.alerts.tell"),
        measured=N_(
            "Every open request is held against its clock, to the second, and those that were done in 30 days as well."
        ),
        owner="support",
        grace=AT_ONCE,
        reader_may=N_("Erase everything at once on My photos; it waits for nobody."),
        check=people.erased_on_request,
    ),
    Promise(
        id="rights_in_time",
        called=N_("rights in time"),
        group="your requests",
        sentence=N_(
            "A copy of your data, a correction, an objection or a question is answered within one month of its "
            "receipt, or as soon as the law that applies to you says."
        ),
        enforced_by=("core.requests.step", "core.sla.due_at", "core.exports.pack"),
        measured=N_(
            "Every open request is held against its clock, by kind, and those that were answered in 30 days as well."
        ),
        owner="support",
        grace=AT_ONCE,
        reader_may=COMPLAIN,
        check=people.rights_in_time,
    ),
    Promise(
        id="adults_only",
        called=N_("adults only"),
        group="this service",
        sentence=N_(
            "WorkShot is for people of 18 and over. A photo is taken only with the consent of its owner, and "
            "what is known to be of a child is erased."
        ),
        enforced_by=("core.generations.request",),
        measured=N_(
            "Every run has to stand on a consent in which its owner said that they are 18 and may use the photo."
        ),
        owner="support",
        grace=SOON,
        reader_may=N_("Tell us of a child's photo: it is erased."),
        check=people.adults_only,
    ),
    Promise(
        id="usage_belongs_to_nobody",
        called=N_("usage belongs to nobody"),
        group="this service",
        sentence=N_(
            "Of use we keep counts alone, by day: no row belongs to anybody, and no count of people's doings "
            "below {small_count} is shown."
        ),
        reads=("small_count",),
        enforced_by=("core.usage.counting.count", "core.usage.publishing.Shown"),
        measured=N_(
            "We look at the columns of the tables of counts, and at every word in them, for anything that could "
            "be a person's."
        ),
        owner="founder",
        grace=SOON,
        reader_may=N_("Switch the counting off on My photos, or send “Sec-GPC” with your browser."),
        check=house.usage_belongs_to_nobody,
    ),
    Promise(
        id="logs_at_most_a_year",
        called=N_("logs at most a year"),
        group="this service",
        sentence=N_(
            "Logs of what was done here hold ids and instants, nothing personal, and are pruned after 12 months."
        ),
        enforced_by=("core.audit.prune", "core.logs.quiet_logs"),
        measured=N_("We look at the oldest entry of the audit log, and for log files of ours."),
        owner="founder",
        grace=A_DAY,
        reader_may=ASK_US,
        check=house.logs_at_most_a_year,
    ),
    Promise(
        id="records_end",
        called=N_("records end"),
        group="this service",
        sentence=N_(
            "What is noted of a person goes {records} months after their last image, unless something of theirs is "
            "still open."
        ),
        reads=("records_months",),
        enforced_by=("core.records.prune",),
        measured=N_("We look for people whose last image has been gone for longer, and for anything noted of them."),
        owner="founder",
        grace=A_DAY,
        reader_may=ASK_US,
        check=records.records_end,
    ),
    Promise(
        id="nothing_is_sold",
        called=N_("nothing is sold"),
        group="this service",
        sentence=N_(
            "Nothing of yours is sold or used for marketing, and there are no ads: no page loads anything from "
            "anybody else."
        ),
        reads=("ga4_measurement_id",),
        enforced_by=("core.guard.content_security_policy",),
        measured=N_(
            "We look at what our pages allow a browser to load, and for names of ad networks in our own source."
        ),
        owner="founder",
        grace=SOON,
        reader_may=TELL_US,
        check=house.nothing_is_sold(),
    ),
    Promise(
        id="notice_before_a_change",
        called=N_("notice before a change"),
        group="this service",
        sentence=N_(
            "A policy that promises less is announced at least {notice_days} days before it is in force, and "
            "never touches a clock that runs."
        ),
        reads=("policy_notice_days",),
        enforced_by=("core.promises.bounds.require",),
        measured=N_(
            "Every version of the policy is kept with the day it was announced and the day from which it "
            "counts; the one in force is held against the settings."
        ),
        owner="founder",
        grace=A_DAY,
        reader_may=N_("Read what changed between two versions on the policy's page."),
        check=house.notice_before_a_change,
    ),
    Promise(
        id="breach_notice",
        called=N_("breach notice"),
        group="this service",
        sentence=N_(
            "Should photos ever get into wrong hands, we tell the authority, and those it concerns on every page "
            "here, as we know nobody's address, within 72 hours of knowing."
        ),
        reads=("privacy_contact", "alert_urls", "authority"),
        enforced_by=("core.breaches.tell", "core.breaches.tell_people", "core.audit.verify"),
        measured=N_(
            "Of a breach that is noted, both have to be told before its 72 hours are over. Before there is one nobody "
            "can measure that. What we look at is what it needs: somebody who can be written to, people who are told, "
            "and a log that was not tampered with."
        ),
        owner="founder",
        grace=SOON,
        reader_may=COMPLAIN,
        check=house.breach_notice,
    ),
    Promise(
        id="backups_end_too",
        called=N_("backups end too"),
        group="your photos",
        sentence="{backups}",
        reads=("backup_days",),
        enforced_by=("core.promises.bounds.require",),
        measured=N_(
            "We look for copies of the database that are older, where we can see: beside it. What lies "
            "elsewhere only those who run this server know."
        ),
        owner="founder",
        grace=A_DAY,
        reader_may=ASK_US,
        check=house.backups_end_too,
    ),
)
