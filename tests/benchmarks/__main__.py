"""
Every promised speed, as a ratio taken in the same run: `python -m tests.benchmarks [name …] [--json]`.

Each benchmark runs in a process of its own, one after the other. A slow machine is no failing test: the table says
what was met and what was not, and the exit status is about whether the benchmarks ran.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from tests.benchmarks.common import Figure, machine, table

ALL = (
    "engine", "click", "provider", "start", "sessions", "sweep", "retention", "retention_page", "desk", "mailbox",
    "usage", "demo", "promises", "promises_page", "counting", "people",
)  # fmt: skip


def run(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"tests.benchmarks.bench_{name}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return {"figures": [], "problem": done.stderr.strip().splitlines()[-1:] or ["it ended without a word"]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def told(answers: dict[str, dict[str, Any]]) -> str:
    figures = [Figure.of_json(figure) for answer in answers.values() for figure in answer["figures"]]
    problems = [
        f"{name} did not run: {answer['problem'][0]}" for name, answer in answers.items() if "problem" in answer
    ]
    return "\n".join([table(figures), *problems])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(ALL)}; all if none is given")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    options = parser.parse_args()
    if unknown := set(options.name) - set(ALL):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    facts = machine()
    answers = {}
    for name in options.name or ALL:
        print(f"{name} …", file=sys.stderr, flush=True)
        answers[name] = run(name)
    facts["load_after"] = machine()["load"]
    if options.json:
        print(json.dumps({"machine": facts, **answers}))
    else:
        print(", ".join(f"{name} {value}" for name, value in facts.items()))
        print(told(answers))
    return 1 if any("problem" in answer for answer in answers.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
