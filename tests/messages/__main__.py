"""
Collects sentences and compiles translations.

    python -m tests.messages                    workshot.po and workshot.mo of the sentences of today
    python -m tests.messages missing [PATH …]   prints, as JSON to fill in, what is not translated yet (in these files)
    python -m tests.messages fill FILE.json     puts such a JSON, filled in, into workshot.po, then the same as without

Of every language, unless `--language de` says which one; what is filled in is of one.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from babel.messages import Catalog
from babel.messages.catalog import Message

from tests.messages import as_po, compiled, languages, po_of, problems, updated

CONTEXT = "|ctx|"
"""Between what a word means and the word, where it means several things."""
SHOWN = 20


def main() -> None:
    asked = _asked()
    for language in asked.languages:
        catalogue = updated(language)
        if asked.verb == "missing":
            print(json.dumps(missing(catalogue, asked.paths), ensure_ascii=False, indent=1))
            continue
        if asked.verb == "fill" and (unknown := fill(catalogue, json.loads(asked.file.read_text("utf-8")))):
            sys.exit("\n  ".join(("Nothing was written. These are not said, or not in so many forms:", *unknown)))
        _write(catalogue, language)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.messages", description=__doc__.split("\n\n")[0])
    parser.add_argument("--language", dest="languages", action="append", choices=languages())
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("missing").add_argument("paths", nargs="*")
    verbs.add_parser("fill").add_argument("file", type=Path)
    asked = parser.parse_args()
    asked.languages = asked.languages or languages()
    if asked.verb == "fill" and len(asked.languages) > 1:
        parser.error("which --language is it in?")
    return asked


def missing(catalogue: Catalog, paths: Sequence[str] = ()) -> dict[str, str | list[str]]:
    """The English sentences, each with an empty place for each of its forms."""
    return {
        _key(message): ["", ""] if isinstance(message.id, tuple) else ""
        for message in _sentences(catalogue)
        if not all(_forms(message)) and any(at.startswith(tuple(paths) or "") for at, _line in message.locations)
    }


def fill(catalogue: Catalog, said: Mapping[str, str | list[str]]) -> list[str]:
    """What is empty is left as it is. What could not be put in: sentences that are not said, or have other forms."""
    messages = {_key(message): message for message in _sentences(catalogue)}
    unknown = [
        key
        for key, text in said.items()
        if key not in messages or isinstance(messages[key].id, tuple) != isinstance(text, list)
    ]
    for key, text in said.items() if not unknown else ():
        if text and all(text):
            messages[key].string = tuple(text) if isinstance(text, list) else text
    return unknown


def _sentences(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _forms(message: Message) -> Sequence[str]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def _key(message: Message) -> str:
    english = message.id[0] if isinstance(message.id, tuple) else message.id
    return f"{message.context}{CONTEXT}{english}" if message.context else english


def _write(catalogue: Catalog, language: str) -> None:
    po = po_of(language)
    po.parent.mkdir(parents=True, exist_ok=True)
    po.write_bytes(as_po(catalogue))
    po.with_suffix(".mo").write_bytes(compiled(catalogue))
    found = list(problems(catalogue))
    print(f"{language}: {len(catalogue)} sentences, {len(found)} to look at", *found[:SHOWN], sep="\n  ")


if __name__ == "__main__":
    main()
