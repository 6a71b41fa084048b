"""Every widget in every state, for eyes and for Chromium. The clocks are relative to the moment of the run."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from core.ui import widgets
from core.ui.widgets import CopyLine, DownloadLink, Event, PictureOption

NOW = datetime.now(UTC)
CODE = "7Q4KM2XW9PTB3HVN6RCJ8DYF5A"
STYLES = [
    PictureOption(id="soft", title="Soft light", description="Even, from the window", picture_url="/picture/soft"),
    PictureOption(id="crisp", title="Crisp", description="Clear edges, cool", picture_url="/picture/crisp"),
    PictureOption(id="mono", title="Black and white", description="Timeless", picture_url="/picture/mono"),
    PictureOption(id="warm", title="Warm", description="Late afternoon", picture_url="/picture/warm"),
    PictureOption(id="evening", title="Evening", picture_url="/picture/evening"),
    PictureOption(id="own", title="Your own", description="A picture you add"),
]


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


def asking() -> None:
    widgets.show(
        widgets.promised(
            [
                "Made on this server by WorkShot. Nothing is sent to anyone else.",
                "Erased by the clock you choose, after 30 days at the latest, or the moment you say so.",
                "Never used for training.",
            ]
        )
    )
    st.file_uploader("Your photo", type=["jpg", "png", "webp", "heic", "avif"])
    widgets.show(
        widgets.note("Removed before saving: GPS position, camera serial number, 14 more.", "kept"),
        widgets.note("Is the photo a little dark? Facing a window usually helps.", "due"),
    )
    st.toggle("Take a photo instead")
    with st.expander("All 16 things that were removed", type="compact"):
        widgets.show(widgets.facts([("Place", "GPS position (4)"), ("Camera", "serial number, lens")]))
    st.checkbox("This is my photo, or I have permission to use it")
    st.checkbox("I am 18 or older")
    style = widgets.picture_choice("Style", STYLES, value="soft", key="style")
    st.text(f"chosen style: {style}")
    st.segmented_control("Keep it for", ["0", "1 h", "24 h", "72 h", "7 d", "30 d"], default="30 d")
    st.caption("Your photo is erased the moment the run ends; the results one hour later.")
    st.pills("What is it for?", ["LinkedIn", "Résumé", "Business profile"], default="Résumé", required=True)
    st.radio("Who makes it?", ["On this server", "APIMart"])
    st.selectbox("Size", ["800 × 1000", "1200 × 1500"])
    st.text_area("A note for the engine (optional)", max_chars=500)
    st.slider("Zoom in", 70, 150, 100, format="%d %%")
    st.text_input("Claim code", placeholder="7Q4K-M2XW-…")
    st.select_slider("Zoom", ["less", "as it is", "more"], value="as it is")
    widgets.show(
        widgets.facts(
            [
                ("Made by", "On this server"),
                ("Kept until", widgets.clock(hours(719.98), now=NOW)),
                ("Left today", "2 of 3"),
            ]
        )
    )
    widgets.show(widgets.quiet("2 of 3 left today · new ones: ", widgets.deadline(hours(9), now=NOW, brief=True)))
    st.button("Generate headshots", type="primary", width="stretch")


def running() -> None:
    names = ["Reading", "Outlining", "Light", "Background", "Finishing"]
    widgets.show(
        widgets.stages(names, done=names[:2], current="Light"),
        widgets.stages(names, done=names),
        widgets.stages(names, done=names[:1], failed="Outlining"),
        widgets.problem(
            "We could not find a person in this photo.",
            "It was not stored, and nothing was spent: 2 of 3 are left today.",
            "Try one where head and shoulders are well in the picture.",
        ),
    )


def ready() -> None:
    widgets.show(widgets.compare("/picture/before", "/picture/after", "Headshot 1, soft light", ratio="4:5"))
    looks = ["after", "soft", "crisp", "mono"]
    chosen = widgets.variants([f"/picture/{look}" for look in looks], key="variant")
    st.text(f"chosen variant: {chosen}")
    widgets.show(
        widgets.clock(hours(719.98), now=NOW),
        widgets.links(
            [
                DownloadLink(
                    label="headshot 1",
                    href="/picture/after",
                    filename="headshot-1.jpg",
                    detail="800 × 1000",
                    primary=True,
                ),
                DownloadLink(label="all", href="/picture/after", filename="headshots.zip", detail="ZIP, 4.1 MB"),
            ]
        ),
        widgets.claim_code(CODE),
        widgets.photo("/picture/mono", "Headshot 3", max_width=200),
        widgets.photo("/picture/none-such", "Headshot 4 is still being made", max_width=200),
    )


def clocks() -> None:
    ticking = (719.98, 23.2, 0.7, 0.06, 0.01, -0.1, -2.25)
    widgets.show(
        *(widgets.clock(hours(number), now=NOW) for number in ticking),
        widgets.clock(hours(0), now=NOW, erased_at=hours(-0.1)),
        widgets.clock(hours(0), now=NOW, erased_at=hours(-0.1), gone_at=hours(-0.05)),
        widgets.deadline(hours(3.03), now=NOW),
        *(widgets.timer(hours(number), now=NOW) for number in (700, 31.07, 2, -2.235)),
        widgets.timer(hours(3), now=NOW, done_at=hours(-2), brief=True),
        widgets.timer(hours(-3), now=NOW, done_at=hours(-2), brief=True),
        widgets.deadline(hours(-2.25), now=NOW, brief=True),
        widgets.row(
            widgets.state_chip("kept", "Kept"),
            widgets.state_chip("due", "Due soon"),
            widgets.state_chip("broken", "Breached"),
            widgets.state_chip("unknown", "Not proved yet"),
        ),
        widgets.copy_list(
            [
                CopyLine(number=2, place="here", until=hours(700)),
                CopyLine(number=2, place="at APIMart", until=hours(20)),
                CopyLine(number=1, place="at APIMart", gone=True),
            ],
            now=NOW,
        ),
        widgets.copy_list([], now=NOW),
    )


def figures() -> None:
    widgets.show(
        widgets.figures(
            widgets.key_figure(
                "214", "headshots this week", change="12 more than last week", trend=[3, 5, 4, 8, 9, 7, 12]
            ),
            widgets.key_figure("98.7", "requests within 48 hours", unit="%", change="Kept", state="kept"),
            widgets.key_figure("27 d 4 h", "oldest portrait, of 30 days"),
            widgets.key_figure("2", "not yet proved gone", change="Not proved yet", state="unknown"),
        ),
        widgets.timeline(
            [
                Event(at=hours(-3), what="Portrait stored, 30 days to live", state="info"),
                Event(at=hours(-2), what="2 headshots made on this server", state="info"),
                Event(
                    at=hours(-1),
                    what="Erased at your word",
                    proof="HEAD answered 404; not in the listing.",
                    state="kept",
                ),
            ],
            now=NOW,
        ),
    )


def erasing() -> None:
    with st.container(horizontal=True):
        erased = widgets.confirm(
            "Erase now",
            title="Erase 3 photos and 8 headshots?",
            sentence="They are erased from this server at once, and we look whether they are gone.",
            button_label="Erase 3 photos and 8 headshots",
            typed_word="ERASE",
            key="erase",
        )
        st.button("Make another", key="another")
    if erased:
        widgets.show(widgets.note("Erased 11 images.", "kept"))


widgets.frame(
    "A headshot that still looks like you.",
    "Made on this server · erased after 30 days, or the moment you say so.",
    now=NOW,
)
for heading, part in {
    "Your photo": asking,
    "While it runs": running,
    "Ready": ready,
    "Clocks and states": clocks,
    "Figures": figures,
    "Erase": erasing,
}.items():
    st.header(heading)
    part()
