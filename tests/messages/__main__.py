"""Collects sentences and compiles translations. `missing PATH …` prints what of these files is not translated yet."""

import json
import sys

from tests.messages import LOCALE, as_po, compiled, languages, po_of, problems, updated


def main() -> None:
    for language in languages():
        catalogue = updated(language)
        for part in sorted((LOCALE / language / "parts").glob("*.json")):
            for english, said in json.loads(part.read_text("utf-8")).items():
                context, _, text = english.rpartition("|ctx|")
                for message in catalogue:
                    ids = message.id if isinstance(message.id, tuple) else (message.id,)
                    if ids[0] == text and (message.context or "") == context:
                        message.string = tuple(said) if isinstance(said, list) else said
        if sys.argv[1:2] == ["missing"]:
            _print_missing(catalogue, sys.argv[2:])
            continue
        po = po_of(language)
        po.parent.mkdir(parents=True, exist_ok=True)
        po.write_bytes(as_po(catalogue))
        po.with_suffix(".mo").write_bytes(compiled(catalogue))
        found = list(problems(catalogue))
        print(f"{language}: {len(catalogue)} sentences, {len(found)} to look at", *found[:20], sep="\n  ")


def _print_missing(catalogue, paths) -> None:
    """As JSON to fill in: the English sentence, and an empty place for each form."""
    empty = {}
    for message in catalogue:
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(said) and any(at.startswith(tuple(paths)) for at, _ in message.locations):
            plural = isinstance(message.id, tuple)
            key = message.id[0] if plural else message.id
            empty[f"{message.context}|ctx|{key}" if message.context else key] = ["", ""] if plural else ""
    print(json.dumps(empty, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
