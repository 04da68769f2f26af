"""Inference without torch: ONNX Runtime sessions that encode photos and decode codes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from modiste.errors import BadCode, BadOption, PhotoError, SchemaError, ShopIncomplete, permission_denied
from modiste.vae.config import ModelConfig

TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY"
BATCH_PHOTOS = 64  # in one run: some 33 MB of float32 at 240 x 180
REMEDY = "Train the model again with `modiste train`."


class OnnxModel:
    """Encoder and decoder of one model directory (`encoder.onnx`, `decoder.onnx`). Safe to share between threads."""

    def __init__(self, config: ModelConfig, encoder: Any, decoder: Any) -> None:
        self.config = config
        self._encoder = encoder
        self._decoder = decoder

    @classmethod
    def load(cls, directory: str | Path, threads: int = 1) -> OnnxModel:
        """Open the model in `directory`; each run uses `threads` threads. A model that is in use is shared.

        Raises BadOption if `threads` is below 1, ShopIncomplete if a file of the model is missing, SchemaError if a
        file is damaged or does not match `config.json`, and StorageError if there is no permission to read it.
        """
        directory = Path(directory)
        if threads < 1:
            raise BadOption(f"threads is {threads}.", remedy="Give 1 or more.")
        key = (directory.resolve(), threads, *_file_states(directory))
        model = _OPEN_MODELS.get(key)
        if model is None:
            model = _OPEN_MODELS[key] = cls._load(directory, threads)
        return model

    @classmethod
    def _load(cls, directory: Path, threads: int) -> OnnxModel:
        config = ModelConfig.load(directory)
        encoder, decoder = (
            _open_session(directory / name, threads, config.files.get(name), inputs=input_names, outputs=output_names)
            for name, input_names, output_names in (
                ("encoder.onnx", ("photo",), ("mean", "std")),
                ("decoder.onnx", ("code",), ("photo",)),
            )
        )
        model = cls(config, encoder, decoder)
        model._check_shapes(directory)
        return model

    def _check_shapes(self, directory: Path) -> None:
        height, width = self.config.frame
        expected = {
            "encoder.onnx": (self._encoder.get_inputs()[0].shape[1:], [height, width, 3]),
            "decoder.onnx": (self._decoder.get_inputs()[0].shape[1:], [self.config.latent]),
        }
        for name, (shape, expected_shape) in expected.items():
            if list(shape) != expected_shape:
                raise SchemaError(
                    f"{directory / name} takes {list(shape)}; config.json says {expected_shape}.", remedy=REMEDY
                )

    def encode(self, photos: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Encode photos, uint8 `(b, H, W, 3)` at the model's frame: mean and std, float32 `(b, n)` each.

        Raises PhotoError if the photos have another shape or type.
        """
        height, width = self.config.frame
        if photos.dtype != np.uint8 or photos.ndim != 4 or photos.shape[1:] != (height, width, 3):
            raise PhotoError(
                f"The model reads uint8 photos of shape (b, {height}, {width}, 3), "
                f"not {photos.dtype} of shape {photos.shape}.",
                remedy="Fit them to the frame first, or use Shop.encode, which takes photos of any size.",
            )
        n = self.config.latent
        mean = np.empty((len(photos), n), np.float32)
        std = np.empty((len(photos), n), np.float32)
        for start in range(0, len(photos), BATCH_PHOTOS):
            chunk = photos[start : start + BATCH_PHOTOS].astype(np.float32) / np.float32(255)
            part = slice(start, start + len(chunk))
            mean[part], std[part] = self._encoder.run(("mean", "std"), {"photo": chunk})
        return mean, std

    def decode(self, codes: ArrayLike) -> NDArray[np.uint8]:
        """Decode codes, `(b, n)`, to photos, uint8 `(b, H, W, 3)`.

        Raises BadCode if the codes have another shape, or values that are not finite.
        """
        n = self.config.latent
        array = np.asarray(codes, np.float32)
        if array.ndim != 2 or array.shape[1] != n or not np.isfinite(array).all():
            raise BadCode(
                f"Codes must be finite and of shape (b, {n}), not {array.shape}.",
                remedy=f"Give {n} finite numbers per code.",
            )
        photos = np.empty((len(array), *self.config.frame, 3), np.uint8)
        for start in range(0, len(array), BATCH_PHOTOS):
            (batch,) = self._decoder.run(("photo",), {"code": array[start : start + BATCH_PHOTOS]})
            np.multiply(batch, np.float32(255), out=batch)
            np.rint(batch, out=batch)
            photos[start : start + len(batch)] = np.clip(batch, 0, 255, out=batch)
        return photos


# The versions of a served shop, and its updates, use the same model: opening its sessions again takes longer than an
# update of one product.
_OPEN_MODELS: WeakValueDictionary[tuple[Any, ...], OnnxModel] = WeakValueDictionary()


def _file_states(directory: Path) -> list[tuple[int, int, int] | None]:
    """Return what changes when a file of the model is replaced or modified; None for a missing file."""
    states: list[tuple[int, int, int] | None] = []
    for name in ("config.json", "encoder.onnx", "decoder.onnx"):
        try:
            state = (directory / name).stat()
        except OSError:
            states.append(None)
        else:
            states.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return states


def import_onnx_runtime() -> Any:
    """Import `onnxruntime` without telemetry; no other module imports it."""
    os.environ.setdefault(TELEMETRY_VARIABLE, "1")
    import onnxruntime

    return onnxruntime


def _open_session(
    path: Path, threads: int, sha256: str | None, *, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> Any:
    """Open an ONNX Runtime session on the CPU, after a check of its file's hash, inputs and outputs."""
    try:
        network = path.read_bytes()
    except PermissionError:
        raise permission_denied(path) from None
    except OSError:
        raise ShopIncomplete(f"The model at {path.parent} has no {path.name}.", remedy=REMEDY) from None
    if sha256 is not None and hashlib.sha256(network).hexdigest() != sha256:
        raise SchemaError(
            f"{path} is damaged: its SHA-256 is not the one in config.json.",
            remedy="Restore it from a copy, or train the model again with `modiste train`.",
        )
    runtime = import_onnx_runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads that spin would take the cores from other requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        session = runtime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exceptions share no public base
        raise SchemaError(f"{path} cannot be read: {error}.", remedy=REMEDY) from error
    input_names = tuple(item.name for item in session.get_inputs())
    output_names = tuple(item.name for item in session.get_outputs())
    if input_names != inputs or not set(outputs) <= set(output_names):
        raise SchemaError(
            f"{path} has inputs {input_names} and outputs {output_names}; expected {inputs} and {outputs}.",
            remedy=REMEDY,
        )
    return session
