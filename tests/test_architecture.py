"""The layout, kept by reading every import: arrows point one way, and some things are done in one place only."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import core.models
from core.settings import ROOT

EDGES = {"adapters", "engines", "ui", "migrations"}
"""Packages of core that are not nouns."""
OUTSIDE = {"bootstrap", "__main__", "web", "guard"}
"""Files of core that put the parts together or speak HTTP: whoever starts the app, not what it is about."""
FOUNDATION = {"errors", "ports", "clock", "language"}
LEAVES = ("errors", "clock", "language")
"""What everything stands on, and what stands on nothing of ours."""

FRAMEWORKS = {"streamlit", "starlette", "uvicorn"}
NETWORK = {"boto3", "botocore", "httpx", "requests", "urllib3", "socket", "smtplib", "imaplib"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


OURS = [*sources("core", "pages"), ROOT / "streamlit_app.py"]
CORE = sources("core")


COUNTING = {"counting", "metrics", "noting", "visits", "words"}
"""The lower half of usage, a part of its own: every noun counts. What is made of the counts stands above the nouns."""


def part_of(path: Path) -> str:
    """`core/intake/exif.py` is part of the noun `intake`; `core/retention.py` is `retention`."""
    return part(*(name.removesuffix(".py") for name in path.relative_to(ROOT / "core").parts))


def part(noun: str, *inside: str) -> str:
    return "counting" if noun == "usage" and inside and inside[0] in COUNTING else noun


NOUNS = [path for path in CORE if part_of(path) not in EDGES | OUTSIDE | {"__init__"}]
AT_EDGES = {edge: [path for path in CORE if part_of(path) == edge] for edge in EDGES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), path.name)


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, in full: `from core import copies` is `core.copies`."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = [*(package[: len(package) - level + 1] if level else ()), *(module.split(".") if module else ())]
                name = ".".join(base)
                yield from (f"{name}.{alias.name}" if is_package(name) else name for alias in names)


def is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def parts(path: Path) -> set[str]:
    """The parts of core that a file imports."""
    return {part(*name.split(".")[1:]) for name in imports(path) if name.startswith("core.")}


def calls(path: Path) -> Iterator[str]:
    """Dotted names of everything that is called or looked up, as `datetime.now`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_hold():
    assert len(NOUNS) > 15
    assert {"retention", "generations", "intake"} <= {part_of(path) for path in NOUNS}


@pytest.mark.parametrize("path", sources("pages"), ids=named)
def test_pages_know_the_ui_and_the_nouns_and_nothing_below(path):
    assert not tops(path) & (NETWORK | {"sqlmodel", "sqlalchemy", "os", "cv2"})
    assert not parts(path) & {"adapters", "engines", "bootstrap", "migrations", "db"}


@pytest.mark.parametrize("path", NOUNS, ids=named)
def test_nouns_know_no_framework_no_network_and_no_edge(path):
    assert not tops(path) & (FRAMEWORKS | NETWORK)
    assert not parts(path) & ((EDGES - {"migrations"}) | OUTSIDE)


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaves_know_nobody(leaf):
    assert not [name for name in imports(ROOT / f"core/{leaf}.py") if name.startswith("core")]


@pytest.mark.parametrize("path", AT_EDGES["adapters"], ids=named)
def test_adapters_know_the_ports_and_no_noun(path):
    assert parts(path) <= FOUNDATION | {"adapters"}
    assert not tops(path) & (FRAMEWORKS | {"sqlmodel", "sqlalchemy"})


@pytest.mark.parametrize("path", AT_EDGES["engines"], ids=named)
def test_engines_know_the_ports_and_what_a_picture_needs(path):
    assert parts(path) <= FOUNDATION | {"engines", "marks", "catalogue"}
    assert not tops(path) & (FRAMEWORKS | {"sqlmodel", "sqlalchemy", "os"})


@pytest.mark.parametrize("path", sorted((ROOT / "core/engines/on_device").glob("*.py")), ids=named)
def test_the_engine_on_the_device_cannot_reach_anyone(path):
    assert not tops(path) & NETWORK


@pytest.mark.parametrize("path", AT_EDGES["ui"], ids=named)
def test_the_ui_reaches_data_through_nouns(path):
    assert not tops(path) & (NETWORK | {"sqlalchemy"})
    assert not parts(path) & {"adapters", "engines", "migrations"}


@pytest.mark.parametrize("path", [p for p in CORE if part_of(p) not in {"ui", *OUTSIDE}], ids=named)
def test_only_the_ui_and_the_pages_know_streamlit(path):
    assert "streamlit" not in tops(path)


@pytest.mark.parametrize("path", OURS, ids=named)
def test_only_bootstrap_picks_adapters_and_engines(path):
    if named(path) == "core/bootstrap.py" or path in AT_EDGES["adapters"] + AT_EDGES["engines"]:
        return
    assert not any(name.startswith(("core.adapters", "core.engines")) for name in imports(path))


@pytest.mark.parametrize("path", OURS, ids=named)
def test_only_the_clock_knows_what_time_it_is(path):
    if named(path) == "core/clock.py":
        return
    now = {"datetime.now", "datetime.utcnow", "date.today", "datetime.datetime.now", "datetime.date.today", "time.time"}
    assert not now & set(calls(path))


@pytest.mark.parametrize("path", OURS, ids=named)
def test_only_the_settings_read_the_environment(path):
    if named(path) == "core/settings.py":
        return
    assert not {"os.environ", "os.getenv"} & set(calls(path))


@pytest.mark.parametrize("path", OURS, ids=named)
def test_no_face_goes_through_the_framework_s_own_stores(path):
    banned = {"st.image", "st.cache_data", "st.download_button", "st.audio", "st.video"}
    assert not banned & set(calls(path))


@pytest.mark.parametrize("path", NOUNS, ids=named)
def test_bytes_are_erased_in_one_place(path):
    erasers = {name for name in calls(path) if name.endswith("store.erase")}
    assert not erasers or named(path) == "core/retention.py"


def test_nouns_call_nouns_downhill():
    graph: dict[str, set[str]] = {}
    for path in NOUNS:
        graph.setdefault(part_of(path), set()).update(parts(path) - {part_of(path)})
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as exc:
        pytest.fail(f"a circle: {' → '.join(reversed(exc.args[1]))}")
    assert order.index("copies") < order.index("retention") < order.index("generations") < order.index("jobs")


def test_which_file_has_a_table_is_nobody_else_s_business():
    files = sources("core/models")
    theirs = {f"core.models.{path.stem}" for path in files}
    assert not [named(path) for path in {*OURS, *sources("tests")} - {*files} if imports(path) & theirs]


def test_every_table_is_taken_from_one_package():
    """It fills the metadata that migrations are compared with: tables of a file that it leaves out are in none."""
    files = [path for path in sources("core/models") if path.stem not in {"__init__", "base"}]
    made = {node.name for path in files for node in tree(path).body if isinstance(node, ast.ClassDef)}
    assert made
    assert made <= set(core.models.__all__)


@pytest.mark.parametrize("path", OURS, ids=named)
def test_every_file_says_what_it_is_for(path):
    if path.read_text().strip():
        assert ast.get_docstring(tree(path))
