"""Speed of training in comparison with peers: photos per second, and time until codes know the kind of a product.

All methods train on the same real photos and cores. Ours and the `paper` preset run as `modiste train` runs them. The
paper's recipe is written in Keras 3 (torch backend) as its author would have: its layers, Adam, batches of 32, float32.
pythae's VAE has pythae's own convolutions for 64 x 64 photos, once as large as our network, and once at its own width,
six times as large. Time to quality is the smallest budget of 1, 2, 3 … minutes after which products of the query's kind
are LEVEL of the top ten of held-out queries. Each budget is a separate training with its own schedule. A peer is first
given our minutes times its target ratio. If it does not reach LEVEL by then, this time counts as its time to quality,
and a note says so.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from report import Report

from modiste.evaluate.baselines import decode_jpegs
from modiste.pipeline.ingest import ingest
from modiste.shop.shop import Shop
from modiste.vae.onnx import OnnxModel
from modiste.vae.training import TrainSettings, train
from modiste.vae.training.autotune import measure_throughput
from modiste.vae.training.hardware import choose_hardware

LEVEL, TOP, ASKING = 0.80, 10, 170
FEW = 2000  # photos, if only rates are measured
LATENT = 16
# Whom we are raced against, and how many times our minutes they are to need.
DECISIVE = {"the paper in Keras 3": 5.0, "pythae's VAE, of equal size": 3.0}
# Channels of pythae's widest convolution: 4.6 M weights beside our 4.7 M; and as it comes, 30 M.
EQUAL, OWN = 384, 1024
Photos = NDArray[np.uint8]
Floats = NDArray[np.float32]
Encode = Callable[[Photos], Floats]
# Minutes to an encoder and the photos a second that training went through.
Method = Callable[["Learning", float], tuple[Encode, float]]


@dataclass(frozen=True, eq=False)
class Learning:
    """The data of all methods: JPEGs and ids to train on, the same photos decoded, and queries with their kinds."""

    frame: tuple[int, int]
    ids: list[str]
    jpegs: list[bytes]
    photos: Photos
    kinds: NDArray[np.intp]
    query_photos: Photos
    query_kinds: NDArray[np.intp]

    @classmethod
    def of(cls, shop: Shop, most: int | None = None) -> Learning:
        """Split a shop: ASKING products of each category are queries; the others, or `most` of them, are trained on."""
        catalogue = shop.catalogue
        random = np.random.default_rng(0)
        tags = np.array(catalogue.categories)
        asking = np.concatenate(
            [random.choice(np.flatnonzero(tags == tag), ASKING, replace=False) for tag in np.unique(tags)]
        )
        known: dict[str, int] = {}
        kinds = np.array(
            [
                known.setdefault(str(catalogue.attributes(row).get("article_type")), len(known))
                for row in range(len(catalogue))
            ],
            np.intp,
        )
        rest = random.permutation(np.setdiff1d(np.arange(len(catalogue)), asking))[:most]
        ids = [catalogue.ids[row] for row in rest]
        jpegs = shop.store.photos(ids)
        photos = np.concatenate([decode_jpegs(jpegs[i : i + 512]) for i in range(0, len(jpegs), 512)])
        query_photos = decode_jpegs(shop.store.photos([catalogue.ids[row] for row in asking]))
        return cls(shop.frame, ids, jpegs, photos, kinds[rest], query_photos, kinds[asking])

    def agreement(self, encode: Encode) -> float:
        """Return the share of the top ten by Euclidean distance that are of the query's kind."""
        product_codes, query_codes = (
            np.concatenate([encode(part[i : i + 64]) for i in range(0, len(part), 64)])
            for part in (self.photos, self.query_photos)
        )
        distances = (product_codes**2).sum(axis=1) - 2.0 * query_codes @ product_codes.T
        nearest = np.argpartition(distances, TOP, axis=1)[:, :TOP]
        return float((self.kinds[nearest] == self.query_kinds[:, None]).mean())


def measure(report: Report, photos: Path, budgets: Sequence[float]) -> None:
    """Train every method with growing budgets."""
    if not photos.is_dir():
        report.note("training", f"left out: there are no photos at {photos}")
        return
    report.heading("training on real photos, all cores")
    alone = measure_throughput(replace(choose_hardware("cpu"), threads=1), TrainSettings())
    report.note("training step, one thread, photos/s", alone.images_per_second)
    torch.set_num_threads(os.cpu_count() or 1)
    root = Path(".cache/speed-photos")
    if not (root / "shop.json").exists():
        ingest(str(photos), root)
    rates_alone = len(budgets) == 1
    learning = Learning.of(Shop.open(root, need="catalogue"), FEW if rates_alone else None)
    methods: dict[str, Method] = {
        "ours": lambda data, minutes: by_modiste(data, minutes, "default"),
        "paper preset": lambda data, minutes: by_modiste(data, minutes, "paper"),
        "the paper in Keras 3": by_keras,
        "pythae's VAE, of equal size": lambda data, minutes: by_pythae(data, minutes, EQUAL),
        "pythae's VAE, as it comes": lambda data, minutes: by_pythae(data, minutes, OWN),
    }
    rates: dict[str, float] = {}

    def reached(name: str, minutes: float) -> bool:
        encode, rates[name] = methods[name](learning, minutes)
        if rates_alone:
            return False
        agreement = learning.agreement(encode)
        report.note(f"{name}, {minutes:g} min: photos/s, kind", [round(rates[name], 1), round(agreement, 4)])
        return agreement >= LEVEL

    ours = least("ours", budgets, reached)
    for name in list(methods)[1:]:
        times = DECISIVE.get(name)
        if ours is None or times is None:
            reached(name, budgets[0])  # for its rate alone
            continue
        # Not there in so many times our minutes: the target is met, and by how much more is left open.
        longest = times * ours
        needed = longest
        if reached(name, longest):
            needed = least(name, [each for each in budgets if each < longest], reached) or longest
        else:
            report.note(f"{name}: kind below {LEVEL} after", f"{longest:g} min, counted as reached then")
        report.add(f"time to quality / {name}", ours, needed, "min", times)
    if ours is not None:
        report.add("time to quality", ours, 10.0, "min", 1.0)
    for name in list(methods)[1:]:
        report.add(f"photos/s / {name}", rates["ours"], rates[name], "photos/s", None, more=True)


def least(name: str, budgets: Sequence[float], reached: Callable[[str, float], bool]) -> float | None:
    """Return the smallest budget, in minutes, after which a method reaches LEVEL; None if none is enough."""
    return next((minutes for minutes in budgets if reached(name, minutes)), None)


def by_modiste(data: Learning, minutes: float, preset: str) -> tuple[Encode, float]:
    """Train one of our presets, by the trainer that `modiste train` runs."""
    folder = Path(tempfile.mkdtemp())
    settings = TrainSettings(preset=preset, frame=data.frame, latent=LATENT, minutes=minutes)
    config = train(data.jpegs, data.ids, settings, folder)
    training = config.training
    seen = float(training["epochs"]) * 0.95 * len(data.ids)
    engine = OnnxModel.load(folder / config.model_id, threads=torch.get_num_threads())
    return lambda photos: engine.encode(photos)[0], seen / float(training["seconds"])


def by_pythae(data: Learning, minutes: float, channels: int) -> tuple[Encode, float]:
    """Train pythae's VAE for photos of 64 x 64; its widest convolution has `channels` channels."""
    from pythae.models import VAE, VAEConfig

    config = VAEConfig(input_dim=(3, 64, 64), latent_dim=LATENT, reconstruction_loss="mse")
    torch.manual_seed(0)
    model = VAE(config, *pythae_networks(config, channels))
    small = torch.cat([shrunk(data.photos[i : i + 256]) for i in range(0, len(data.photos), 256)])
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    random = np.random.default_rng(0)
    began, seen = time.monotonic(), 0
    model.train()
    while time.monotonic() - began < 60.0 * minutes:
        rows = torch.from_numpy(random.choice(len(small), 64, replace=False))
        loss = model({"data": small[rows]}).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        seen += len(rows)
    seconds = time.monotonic() - began
    model.eval()

    @torch.inference_mode()
    def encode(photos: Photos) -> Floats:
        return model.encoder(shrunk(photos)).embedding.numpy()

    return encode, seen / seconds


def pythae_networks(config: Any, channels: int) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Return pythae's convolutions for 64 x 64 photos (`nn.benchmarks.celeba`), with other widths than its 1024."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder
    from pythae.models.nn.benchmarks.celeba import Decoder_Conv_AE_CELEBA, Encoder_Conv_VAE_CELEBA
    from torch import nn

    encoder, decoder = Encoder_Conv_VAE_CELEBA(config), Decoder_Conv_AE_CELEBA(config)
    if channels == OWN:
        return encoder, decoder
    wide = [3, *(channels // share for share in (8, 4, 2, 1))]
    for layer, (inputs, outputs) in zip(encoder.layers, pairwise(wide), strict=True):
        layer[0], layer[1] = nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs)
    encoder.embedding, encoder.log_var = (nn.Linear(16 * channels, LATENT) for _ in range(2))
    grown = []
    for layer, (inputs, outputs) in zip(list(decoder.layers)[1:], pairwise(wide[::-1]), strict=True):
        was = layer[0]
        how = {"stride": was.stride, "padding": was.padding, "output_padding": was.output_padding}
        last = [nn.Sigmoid()] if outputs == 3 else [nn.BatchNorm2d(outputs), nn.ReLU()]
        grown += [nn.ConvTranspose2d(inputs, outputs, was.kernel_size, **how), *last]

    class Narrower(BaseDecoder):
        """pythae's own folds its first layer's numbers into 1024 channels."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(LATENT, 64 * channels), nn.Unflatten(1, (channels, 8, 8)), *grown)

        def forward(self, z: torch.Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z))

    return encoder, Narrower()


def shrunk(photos: Photos) -> torch.Tensor:
    """Convert uint8 `(b, H, W, 3)` to float32 `(b, 3, 64, 64)` in [0, 1]."""
    planes = torch.from_numpy(photos).permute(0, 3, 1, 2).float().div(255.0)
    return torch.nn.functional.interpolate(planes, size=(64, 64), mode="area")


def by_keras(data: Learning, minutes: float) -> tuple[Encode, float]:
    """Train the paper's network and loss in Keras 3, as section 3.2 describes them."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras import layers, ops

    keras.utils.set_random_seed(0)
    height, width = data.frame
    photo_input = keras.Input((height, width, 3))
    x: Any = photo_input
    for filters, stride in ((16, 2), (32, 2), (64, 3)):
        x = layers.Conv2D(filters, stride, stride)(x)
        x = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(x))
    grid = x.shape[1:]
    x = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(layers.Dense(128)(layers.Flatten()(x))))
    encoder = keras.Model(photo_input, [layers.Dense(LATENT)(x), layers.Dense(LATENT)(x)])
    code = keras.Input((LATENT,))
    y: Any = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(layers.Dense(128)(code)))
    y = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(grid[0] * grid[1] * grid[2])(y))
    y = layers.Reshape(grid)(y)
    for filters, stride in ((64, 3), (32, 2), (16, 2)):
        y = layers.Conv2DTranspose(filters, stride, stride)(y)
        y = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(y))
    decoder = keras.Model(code, layers.Conv2D(3, 1, activation="sigmoid")(y))

    class PaperVae(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = encoder, decoder
            self.noise = keras.random.SeedGenerator(0)

        def call(self, photo: Any) -> Any:
            mean, log_variance = self.encoder(photo)
            noise = keras.random.normal(ops.shape(mean), seed=self.noise)
            drawn = self.decoder(mean + ops.exp(0.5 * log_variance) * noise)
            kl = -0.5 * ops.sum(1.0 + log_variance - mean**2 - ops.exp(log_variance), axis=1)
            self.add_loss(ops.mean(kl))
            return drawn

    class Budget(keras.callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, *_: Any, **__: Any) -> None:
            Budget.seen += 32
            if time.monotonic() - began > 60.0 * minutes:
                raise StopIteration

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return len(data.photos) // 32

        def __getitem__(self, index: int) -> Any:
            part = order[index * 32 : index * 32 + 32]
            photos = data.photos[part].astype(np.float32) / 255.0
            return photos, photos

    order = np.random.default_rng(0).permutation(len(data.photos))
    model = PaperVae()
    model.compile(keras.optimizers.Adam(), loss=lambda real, drawn: ops.mean((real - drawn) ** 2) * height * width)
    began = time.monotonic()
    with contextlib.suppress(StopIteration):
        model.fit(Batches(), epochs=10_000, verbose=0, callbacks=[Budget()])
    seconds = time.monotonic() - began
    encoder.trainable = False

    def encode(photos: Photos) -> Floats:
        with torch.inference_mode():
            mean, _ = encoder(photos.astype(np.float32) / 255.0, training=False)
        return keras.ops.convert_to_numpy(mean)

    return encode, Budget.seen / seconds
