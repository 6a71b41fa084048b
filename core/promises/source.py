"""
Our own source, read as a promise is: what it imports, what it names, what lies beside it, and what is installed.

"There is no code that does this" can be looked at while it runs. A file is parsed once and again when it has changed.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final

from core.promises.shapes import says

NO_SOURCE: Final = says("Our source is not here to be read, so nothing could be looked for in it.")

NETWORK: Final = frozenset(
    {
        "aiohttp", "apprise", "boto3", "botocore", "ftplib", "grpc", "http.client", "http.server", "httpcore", "httpx",
        "imap_tools", "imaplib", "paramiko", "poplib", "pycurl", "requests", "smtplib", "socket", "socketserver",
        "telnetlib", "urllib.request", "urllib3", "websocket", "websockets", "xmlrpc",
    }
)  # fmt: skip
"""What can reach somebody else."""
WAYS_OUT: Final = ("core/adapters/", "core/engines/apimart/")
"""The only parts of ours that may: storage, mail, the named third parties, and our own server seen from outside."""
TRAINING: Final = frozenset(
    {
        "accelerate", "catboost", "comet_ml", "datasets", "diffusers", "fastai", "flax", "huggingface_hub", "jax",
        "keras", "lightgbm", "mlflow", "mxnet", "neptune", "optax", "peft", "pytorch_lightning", "ray", "sklearn",
        "skorch", "tensorflow", "torch", "torchvision", "transformers", "trl", "wandb", "xgboost",
    }
)  # fmt: skip
BIOMETRY: Final = frozenset(
    {
        "arcface", "compreface_sdk", "deepface", "dlib", "face_alignment", "face_recognition",
        "face_recognition_models", "facenet_pytorch", "facetorch", "face3d", "insightface", "keras_facenet",
        "keras_vggface", "mediapipe", "mtcnn", "openface", "retina_face", "retinaface", "uniface",
    }
)  # fmt: skip
MEASURES_FACES: Final = frozenset(
    {
        "CascadeClassifier", "FaceDetectorYN", "FaceRecognizerSF", "FaceMesh", "FaceLandmarker", "compare_faces",
        "createEigenFaceRecognizer", "createLBPHFaceRecognizer", "face_encodings", "face_landmarks", "rekognition",
    }
)  # fmt: skip
"""Names by which libraries that we do have would be asked for it."""
MODELS: Final = (
    ".caffemodel",
    ".dat",
    ".h5",
    ".keras",
    ".onnx",
    ".pb",
    ".pkl",
    ".pt",
    ".pth",
    ".safetensors",
    ".tflite",
)
KNOWN_MODELS: Final = frozenset({"core/engines/on_device/selfie_segmentation.tflite"})
"""Tells person from background, pixel by pixel, and nothing about anybody."""


@dataclass(frozen=True)
class Source:
    """A tree of our code."""

    root: Path

    def files(self, *folders: str) -> Iterator[Path]:
        """All Python of ours that runs, or only what lies in these folders."""
        for folder in folders or ("core", "pages"):
            yield from sorted((self.root / folder).rglob("*.py"))
        if not folders:
            yield from (path for path in [self.root / "streamlit_app.py"] if path.exists())

    def is_there(self, *folders: str) -> bool:
        """Of what is not there, nothing bad is found either."""
        return next(self.files(*folders), None) is not None

    def importing(self, names: Iterable[str], *folders: str) -> list[str]:
        """The files that import any of these, relative to the tree."""
        wanted = frozenset(names)
        return [self._named(path) for path in self.files(*folders) if wanted & _read(path).imports]

    def naming(self, names: Iterable[str]) -> list[str]:
        """The files that name any of these, as an attribute, a function or a whole text; this list of them apart."""
        wanted, here = frozenset(names), Path(__file__).name
        return [self._named(path) for path in self.files() if path.name != here and wanted & _read(path).names]

    def models(self) -> list[str]:
        """Files beside the code that could hold what something has learnt."""
        beside = (path for folder in ("core", "pages") for path in (self.root / folder).rglob("*"))
        return sorted(self._named(path) for path in beside if path.suffix in MODELS)

    def holding(self, words: tuple[str, ...], but: str = "") -> list[str]:
        """The files, scripts of pages among them, in whose text any of these stands. `but`: a file of this name."""
        texts = [*self.files(), *sorted((self.root / "core" / "ui" / "assets").glob("*.js"))]
        return [
            self._named(path) for path in texts if path.name not in (but, Path(__file__).name) and _holds(path, words)
        ]

    def _named(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


@dataclass(frozen=True)
class _File:
    imports: frozenset[str]
    names: frozenset[str]


def _read(path: Path) -> _File:
    known = path.stat()
    return _parsed(path, known.st_mtime_ns, known.st_size)


def _holds(path: Path, words: tuple[str, ...]) -> bool:
    known = path.stat()
    return _searched(path, known.st_mtime_ns, known.st_size, words)


@lru_cache(maxsize=2048)
def _searched(path: Path, _changed: int, _size: int, words: tuple[str, ...]) -> bool:
    text = path.read_text("utf-8")
    return any(word in text for word in words)


@lru_cache(maxsize=2048)
def _parsed(path: Path, _changed: int, _size: int) -> _File:
    """One walk for all that is ever asked for; nothing else is kept of a file, and most have none of it."""
    code = path.read_bytes()
    if not _ANY.search(code):
        return _File(frozenset(), frozenset())
    imports: list[str] = []
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import(names=aliases):
                imports += (alias.name for alias in aliases)
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                imports += (module, *(f"{module}.{alias.name}" for alias in aliases))
                names.update(alias.name for alias in aliases)
            case ast.Attribute(attr=name) | ast.Name(id=name):
                names.add(name)
            case ast.Constant(value=str(text)):
                names.add(text)
    return _File(frozenset(_parents(imports)) & _ASKED_FOR, frozenset(names) & MEASURES_FACES)


_ASKED_FOR: Final = NETWORK | TRAINING | BIOMETRY
_WORDS: Final = sorted({name.partition(".")[0] for name in _ASKED_FOR | MEASURES_FACES})
_ANY: Final = re.compile(rf"\b({'|'.join(_WORDS)})\b".encode())


def _parents(found: Iterable[str]) -> Iterator[str]:
    """Every module with all that it lies in: `urllib.request` is `urllib` as well."""
    for name in found:
        parts = name.split(".")
        yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def installed() -> frozenset[str]:
    """What Python could import here, by the names of its distributions, written as modules are."""
    names = (found.metadata["Name"] for found in metadata.distributions())
    return frozenset(name.lower().replace("-", "_") for name in names if name)
