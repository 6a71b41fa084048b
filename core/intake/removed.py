"""
What a photo carried besides its pixels, in words for the page. Kinds and counts only, never a value. Its words are
counted by as they are in English, and said in the language of whoever reads them.

The order of `_KINDS` is the order of the list people read: what says most about a person comes first.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from core.intake.exif import ExifTags
from core.language import N_, _

GPS = N_("GPS position")
SERIAL = N_("camera serial number")
OWNER = N_("name of the owner or author")
PEOPLE = N_("people marked in the picture")
PLACE = N_("place names")
VIDEO = N_("short video clip")
DATE = N_("date and time")
CAMERA = N_("camera model")
SOFTWARE = N_("editing software")
CAPTION = N_("caption and keywords")
COMMENT = N_("comment")
UNIQUE = N_("number that identifies this photo")
MAKER = N_("camera maker's private notes")
THUMBNAIL = N_("embedded thumbnail")
CREDENTIALS = N_("Content Credentials")
EXTRA = N_("extra pictures")
DEPTH = N_("depth map or mask")
TRAILING = N_("data after the end of the picture")
XMP = N_("XMP properties")
IPTC = N_("IPTC fields")
SETTINGS = N_("camera settings")
PROFILE = N_("colour profile")
OTHER = N_("other data blocks")

_KINDS = {
    GPS: N_("Where you were"),
    SERIAL: N_("Your camera"),
    OWNER: N_("Who you are"),
    PEOPLE: N_("Who you are"),
    PLACE: N_("Where you were"),
    VIDEO: N_("Hidden pictures and data"),
    DATE: N_("When it was taken"),
    CAMERA: N_("Your camera"),
    SOFTWARE: N_("How it was edited"),
    CAPTION: N_("What was written into it"),
    COMMENT: N_("What was written into it"),
    UNIQUE: N_("Your camera"),
    MAKER: N_("Your camera"),
    THUMBNAIL: N_("Hidden pictures and data"),
    CREDENTIALS: N_("How it was edited"),
    EXTRA: N_("Hidden pictures and data"),
    DEPTH: N_("Hidden pictures and data"),
    TRAILING: N_("Hidden pictures and data"),
    XMP: N_("How it was edited"),
    IPTC: N_("What was written into it"),
    SETTINGS: N_("Your camera"),
    PROFILE: N_("Technical"),
    OTHER: N_("Technical"),
}


@dataclass(frozen=True, kw_only=True)
class RemovedItem:
    words: str
    group: str
    count: int


@dataclass(frozen=True)
class Removed:
    """Everything that was in the file and is not in ours, most personal first."""

    items: tuple[RemovedItem, ...] = ()

    @classmethod
    def of(cls, counts: Counter[str]) -> "Removed":
        return cls(
            tuple(
                RemovedItem(words=words, group=group, count=counts[words])
                for words, group in _KINDS.items()
                if counts[words]
            )
        )

    @property
    def total(self) -> int:
        return sum(item.count for item in self.items)

    def headline(self, most: int = 2) -> str:
        """As "GPS position, camera serial number, 14 more"."""
        if not self.items:
            return _("nothing: the file held only the picture")
        named = [_(item.words) for item in self.items[:most]]
        rest = sum(item.count for item in self.items[most:])
        return ", ".join(named + ([_("{number} more", number=rest)] if rest else []))

    def by_group(self) -> dict[str, list[RemovedItem]]:
        groups: dict[str, list[RemovedItem]] = {}
        for item in self.items:
            groups.setdefault(item.group, []).append(item)
        return groups


_EXIF = {
    OWNER: {0x013B, 0x8298, 0x013C, 0xA430, 0x9C9D, 0xA437, 0xA438, 0xA439},
    SERIAL: {0xA431, 0xA435, 0xC62F},
    DATE: {0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292, 0xC71B},
    CAMERA: {0x010F, 0x0110, 0xA432, 0xA433, 0xA434, 0xC614},
    SOFTWARE: {0x000B, 0x0131, 0xA43A, 0xA43B, 0xA43C},
    CAPTION: {0x010D, 0x010E, 0xA436, 0x9C9B, 0x9C9E, 0x9C9F, 0x4746},
    COMMENT: {0x9286, 0x9C9C},
    UNIQUE: {0xA420},
    MAKER: {0x927C, 0xC634},
    XMP: {0x02BC},
    IPTC: {0x83BB, 0x8649},
    PROFILE: {0x8773},
}
_EXIF_KIND = {tag: kind for kind, tags in _EXIF.items() for tag in tags}


def count_exif(exif: ExifTags) -> Counter[str]:
    counts: Counter[str] = Counter()
    for directory, tag in exif.tags:
        if directory == "gps":
            counts[GPS] += 1
        elif directory == "thumbnail":
            counts[THUMBNAIL] = 1
        else:
            counts[_EXIF_KIND.get(tag, SETTINGS)] += 1
    return counts


_XMP_NAME = re.compile(rb"(?:<|\s)([A-Za-z][\w.-]{0,40}):([A-Za-z][\w.-]{0,80})(?=[\s=>/])")
_XMP_PLUMBING = {b"rdf", b"x", b"xml", b"xmlns", b"xpacket"}
_XMP_RULES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    (GPS, re.compile(rb"GPS|Latitude|Longitude", re.I)),
    (SERIAL, re.compile(rb"Serial", re.I)),
    (PEOPLE, re.compile(rb"^(Region|PersonInImage|PersonDisplayName|PersonKeywords)", re.I)),
    (PLACE, re.compile(rb"City|Country|Location|Sublocation|^State$|WorldRegion", re.I)),
    (OWNER, re.compile(rb"^(creator|rights|Artist|OwnerName|Author|AuthorsPosition|Owner|Credit|Copyright)", re.I)),
    (SOFTWARE, re.compile(rb"CreatorTool|Software|History|softwareAgent|DerivedFrom", re.I)),
    (DATE, re.compile(rb"Date|Time$", re.I)),
    (CAMERA, re.compile(rb"^(Make|Model|Lens)", re.I)),
    (CAPTION, re.compile(rb"^(description|title|subject|Headline|Keywords|UserComment|Caption)", re.I)),
    (UNIQUE, re.compile(rb"(DocumentID|InstanceID|ImageUniqueID|originalDocumentID)$", re.I)),
)


def count_xmp(packet: bytes) -> Counter[str]:
    """By names alone and without an XML parser: a packet may be broken, huge or built to blow one up."""
    counts: Counter[str] = Counter()
    for space, name in set(_XMP_NAME.findall(packet[: 1 << 20])):
        if space.lower() in _XMP_PLUMBING:
            continue
        counts[next((kind for kind, rule in _XMP_RULES if rule.search(name)), XMP)] += 1
    return counts or Counter({XMP: 1})


_IIM = {
    OWNER: {80, 85, 110, 115, 116, 118, 122},
    PLACE: {26, 27, 90, 92, 95, 100, 101},
    DATE: {30, 35, 37, 38, 47, 55, 60, 62, 63},
    SOFTWARE: {65, 70},
    CAPTION: {5, 25, 40, 105, 120},
}
_IIM_KIND = {number: kind for kind, numbers in _IIM.items() for number in numbers}


def count_photoshop(block: bytes) -> Counter[str]:
    """Photoshop's image resources, among them the IPTC fields of news agencies."""
    counts: Counter[str] = Counter()
    at = block.find(b"8BIM")
    for _nth in range(500):
        if at < 0 or block[at : at + 4] != b"8BIM" or at + 12 > len(block):
            break
        resource = int.from_bytes(block[at + 4 : at + 6], "big")
        name = block[at + 6] + 1
        start = at + 6 + name + name % 2
        size = int.from_bytes(block[start : start + 4], "big")
        body = block[start + 4 : start + 4 + size]
        if resource == 0x0404:
            counts += count_iim(body)
        else:
            counts[THUMBNAIL if resource in (0x0409, 0x040C) else SOFTWARE] += 1
        at = start + 4 + size + size % 2
    return counts or Counter({OTHER: 1})


def count_iim(body: bytes) -> Counter[str]:
    counts: Counter[str] = Counter()
    at = 0
    while at + 5 <= len(body) and body[at] == 0x1C and counts.total() < 500:
        if body[at + 1] != 1:  # record 1 is the envelope, about the fields and not the photo
            counts[_IIM_KIND.get(body[at + 2], IPTC)] += 1
        at += 5 + int.from_bytes(body[at + 3 : at + 5], "big")
    return counts or Counter({IPTC: 1})


_TEXT = {
    b"author": OWNER,
    b"artist": OWNER,
    b"copyright": OWNER,
    b"creation time": DATE,
    b"date": DATE,
    b"software": SOFTWARE,
    b"source": CAMERA,
    b"title": CAPTION,
    b"description": CAPTION,
}


def kind_of_text(keyword: bytes) -> str:
    """The kind of a PNG text chunk."""
    word = keyword.lower()
    return next((kind for start, kind in _TEXT.items() if word.startswith(start)), COMMENT)


def count_trailing(tail: bytes) -> Counter[str]:
    """Bytes after the picture's end: another picture, a clip of a motion photo, or somebody's luggage."""
    if not tail.strip(b"\0"):
        return Counter({TRAILING: 1}) if tail else Counter()
    counts: Counter[str] = Counter()
    if re.search(rb"ftyp(mp4|isom|qt  |avc1|MSNV|3gp)", tail):
        counts[VIDEO] = 1
    if pictures := len(re.findall(rb"\xff\xd9[\0]*\xff\xd8\xff", b"\xff\xd9" + tail)):
        counts[EXTRA] = min(pictures, 99)
    return counts or Counter({TRAILING: 1})


def total(counts: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counts, Counter())
