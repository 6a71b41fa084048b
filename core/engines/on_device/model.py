"""
The one trained part: a 250 kB network that tells person from background (MediaPipe selfie segmentation,
Apache-2.0, licence beside the file). It answers with a soft mask. It knows nothing of who someone is.
"""

import hashlib
import threading
from pathlib import Path

import cv2
import numpy as np

from core.engines.on_device.arrays import Array
from core.errors import EngineUnavailable
from core.language import _

MODEL_FILE = Path(__file__).with_name("selfie_segmentation.tflite")
MODEL_NAME = "MediaPipe selfie segmentation"
# Of the file inside the mediapipe 0.10.21 wheel on PyPI.
MODEL_SHA256 = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"
INPUT_SIDE = 256  # what the network was trained on; the photo is squashed to a square, as MediaPipe does


class PersonModel:
    """Loads on first use, and only a file with the right checksum. Safe to share between threads."""

    def __init__(self, path: Path = MODEL_FILE, sha256: str = MODEL_SHA256) -> None:
        self._path = path
        self._sha256 = sha256
        self._lock = threading.Lock()  # a cv2.dnn network is not safe for two threads at once
        self._network: cv2.dnn.Net | None = None

    def segment(self, picture: Array) -> Array:
        """Soft person mask, 0 to 1, 256 x 256: the mean of the photo's and its mirror's, which is steadier."""
        square = cv2.resize(picture, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
        planes = square.astype(np.float32).transpose(2, 0, 1)[None] / np.float32(255)
        with self._lock:
            network = self._loaded()
            mask = self._forward(network, planes)
            mirrored = self._forward(network, planes[..., ::-1])[:, ::-1]
        return np.ascontiguousarray((mask + mirrored) * np.float32(0.5))

    def _loaded(self) -> cv2.dnn.Net:
        if self._network is None:
            self._network = cv2.dnn.readNetFromTFLite(np.frombuffer(self._verified(), np.uint8))
        return self._network

    def _verified(self) -> bytes:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise EngineUnavailable(
                _("The outline model is missing on this server. Whoever runs it has to install it again."),
                code="model_missing",
            ) from error
        if hashlib.sha256(data).hexdigest() != self._sha256:
            raise EngineUnavailable(
                _(
                    "The outline model on this server is not the one we tested, so we don't use it. "
                    "Whoever runs it has to install it again."
                ),
                code="model_altered",
            )
        return data

    @staticmethod
    def _forward(network: cv2.dnn.Net, planes: Array) -> Array:
        network.setInput(np.ascontiguousarray(planes))
        return np.squeeze(network.forward()).astype(np.float32)
