"""Waiting times of shoppers and engineers: a frame, a catalogue's encoding, a command's start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import Report, median
from safetensors.torch import load_file

from modiste.images.photo import decode_jpeg
from modiste.pipeline.encode import encode_shop
from modiste.shop.shop import Shop
from modiste.vae.onnx import OnnxModel
from modiste.vae.training.vae import WEIGHTS_FILE, Vae

FRAME = (240, 180)


def frames(report: Report, shop: Path, rounds: int) -> None:
    """Compare decoding one picture of 180 x 240 in one thread: ONNX Runtime, OpenVINO, torch, and wider decoders."""
    import openvino

    from modiste.vae.training.onnx_export import decoder_bytes

    report.heading("a frame of 180 x 240, one thread")
    opened = Shop.open(shop, need="model", threads=1)
    directory = opened.files.model(opened.model.model_id)
    engine = OnnxModel.load(directory, threads=1)
    vae = Vae(opened.model.preset, opened.model.frame, opened.model.latent, opened.model.network).eval()
    vae.load_state_dict(load_file(directory / WEIGHTS_FILE))
    core: Any = openvino.Core()
    compiled = core.compile_model(
        str(directory / "decoder.onnx"),
        "CPU",
        {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"},
    )
    request = compiled.create_infer_request()
    torch.set_num_threads(1)
    ways: dict[str, Any] = {
        "ours": engine.decode,
        "OpenVINO": lambda code: (request.infer({0: code})[0] * 255).round().clip(0, 255).astype(np.uint8),
        "torch": lambda code: (vae.decoder(torch.from_numpy(code)) * 255).round().clamp(0, 255).byte().numpy(),
    }
    with tempfile.TemporaryDirectory() as scratch:
        for width in (16, 32):
            other = Vae("default", FRAME, 16, {"width": width}).eval()
            path = Path(scratch) / f"{width}"
            path.mkdir()
            (path / "decoder.onnx").write_bytes(decoder_bytes(other.decoder, 16))
            session = OnnxModel(engine.config, None, _session(path / "decoder.onnx"))
            ways[f"width {width}"] = lambda code, session=session: session.decode(code)
        times: dict[str, list[float]] = {name: [] for name in ways}
        random = np.random.default_rng(0)
        with torch.no_grad():
            for turn in range(rounds + 5):
                code = random.normal(size=(1, 16)).astype(np.float32)
                for name, way in ways.items():
                    start = time.perf_counter()
                    way(code)
                    if turn >= 5:
                        times[name].append(time.perf_counter() - start)
    milli = {name: 1e3 * median(each) for name, each in times.items()}
    report.add("frame", milli["ours"], 5.0, "ms", 1.0)
    report.add("frame / OpenVINO", milli["ours"], milli["OpenVINO"], "ms", None)
    report.add("frame / torch", milli["ours"], milli["torch"], "ms", None)
    for width in (16, 32):
        report.add(f"frame, width 24 / width {width}", milli["ours"], milli[f"width {width}"], "ms", None)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def encoding(report: Report, shop: Path) -> None:
    """Compare the encoding stage, two threads, with its two halves alone."""
    report.heading("encoding 180 x 240 from stored JPEGs, two threads")
    opened = Shop.open(shop, need="model", threads=2)
    ids = opened.catalogue.ids[:2048]
    jpegs = opened.store.photos(ids)
    start = time.perf_counter()
    for jpeg in jpegs[:512]:
        decode_jpeg(jpeg)
    report.note("JPEG decoding, one thread, products/s", 512 / (time.perf_counter() - start))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(decode_jpeg, jpegs[:256]))
        start = time.perf_counter()
        photos = np.stack(list(pool.map(decode_jpeg, jpegs)))
        decoding = len(ids) / (time.perf_counter() - start)
        single = OnnxModel.load(opened.files.model(opened.model.model_id), threads=1)
        parts = [photos[i : i + 32] for i in range(0, len(photos), 32)]
        list(pool.map(single.encode, parts[:8]))
        start = time.perf_counter()
        list(pool.map(single.encode, parts))
        network = len(ids) / (time.perf_counter() - start)
    start = time.perf_counter()
    summary = encode_shop(shop, threads=2)
    whole = summary["count"] / (time.perf_counter() - start)
    report.note("JPEG decoding alone, products/s", decoding)
    report.note("network alone, products/s", network)
    report.add("encoding", whole, 600.0, "products/s", 1.0, more=True)
    report.add("encoding / its slower half alone", whole, min(decoding, network), "products/s", 0.7, more=True)


def starting(report: Report, shop: Path, rounds: int) -> None:
    """Measure a command from its start to its result."""
    report.heading("start of a command, a process each")
    opened = Shop.open(shop, need="catalogue")
    own = Path(sys.executable).with_name("modiste")
    commands = {
        "modiste --help": ([str(own), "--help"], 0.25),
        "modiste similar, 11,229 products": (
            [str(own), "similar", "--shop", str(shop), "--product", opened.catalogue.ids[7], "--json"],
            1.2,
        ),
    }
    for name, (command, limit) in commands.items():
        times: list[float] = []
        for turn in range(rounds + 1):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=dict(os.environ))
            if turn:  # the first may compile
                times.append(time.perf_counter() - start)
        report.add(name, median(times), limit, "s", 1.0)
