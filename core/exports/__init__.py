"""
A copy of my data: all that is held about one person, as ZIP files that only they can fetch.

It is made by the worker, sealed under the person's own key, and itself a copy with a clock: so it is swept, erased on
request and proved gone like any other, and with it goes the last of the person. No file outlives an image that it
holds: images that end sooner than the rest lie in a file of their own, which ends with them. Its README is in the
language of the request; names in it are the same for everybody.

Parts: `schema` (what is told of each table, and why the rest is not), `gathering` (rows → one JSON), `packing` (the ZIP
files and the job), `reading` (what pages and routes see).
"""

from core.exports.gathering import gather
from core.exports.packing import KEPT_FOR, pack
from core.exports.reading import ExportFile, file_of, files_of

__all__ = ["KEPT_FOR", "ExportFile", "file_of", "files_of", "gather", "pack"]
