"""The networks of the presets `default` and `paper`, for any frame and any number of latents.

Both take and return photos as float32 `(b, H, W, 3)` in [0, 1], so that an exported model needs no preprocessing. The
default network works on a "body", the photo downscaled to about 80 x 60 pixels. Its decoder makes three layers there,
the product's colours, the background's ("ground") and the outline between them; they are upscaled smoothly and composed
at the frame's size. So a picture of 240 x 180 costs little more than the body, has a sharp outline and no blocks.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

BODY_SIDE_PX = 80  # the body's longest side
# Each latent has its own standard deviation, and a photo's differs from it by at most exp(±0.15). Without this limit,
# some photos get small deviations in all latents, and Eq. 2's −Σ log σ prefers these products for every design.
LOG_STD_SPREAD = 0.15
OUTLINE_SHARPNESS = 4.0  # see `compose_layers`: costs a little PSNR and removes the blur of outlines
INITIAL_LOG_STD, LOG_STD_RANGE = -2.0, (-6.0, 2.0)


def body_ratio(frame: tuple[int, int]) -> int:
    """Return how many frame pixels make one body pixel along a side."""
    return max(1, round(max(frame) / BODY_SIDE_PX))


def body_size(frame: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of the body of a frame."""
    ratio = body_ratio(frame)
    return math.ceil(frame[0] / ratio), math.ceil(frame[1] / ratio)


def downscale(photo: Tensor, ratio: int) -> Tensor:
    """Average `ratio` x `ratio` blocks of `(b, c, H, W)`; blocks at the edge average the pixels that exist."""
    if ratio == 1:
        return photo
    return functional.avg_pool2d(photo, ratio, ceil_mode=True, count_include_pad=False)


def halved_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size after a 3 x 3 convolution of stride 2 with padding 1."""
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def conv_block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution with batch normalisation and leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1, inplace=True)
    )


class Encoder(nn.Module):
    """The default encoder: photo `(b, H, W, 3)` or body `(b, 3, h, w)` to mean and std, `(b, n)` each."""

    def __init__(self, frame: tuple[int, int], latent: int, width: int = 32) -> None:
        super().__init__()
        self.frame, self.ratio, self.body = frame, body_ratio(frame), body_size(frame)
        size = halved_size(halved_size(halved_size(self.body)))
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.1, inplace=True),
            conv_block(width, 2 * width, 2),
            conv_block(2 * width, 3 * width),
            conv_block(3 * width, 4 * width, 2),
            conv_block(4 * width, 4 * width),
        )
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(4 * width * size[0] * size[1], 256, bias=False),
            nn.BatchNorm1d(256),
            nn.LeakyReLU(0.1, inplace=True),
        )
        self.head = nn.Linear(256, 2 * latent)
        self.log_std = nn.Parameter(torch.full((latent,), INITIAL_LOG_STD))

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std of q(z|x) for photos of the frame's size."""
        return self.encode_body(downscale(photo.permute(0, 3, 1, 2), self.ratio))

    def encode_body(self, body: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std of q(z|x) for bodies, `(b, 3, h, w)`."""
        output = self.head(self.dense(self.features(body - 0.5))).float()
        mean, offset = output.chunk(2, dim=1)
        return mean, torch.exp(self.log_std.clamp(*LOG_STD_RANGE) + LOG_STD_SPREAD * torch.tanh(offset))


class DescriptorHead(nn.Module):
    """Code `(b, n)` to image descriptors, `(b, outputs)`. It only helps to train the encoder."""

    def __init__(self, latent: int, outputs: int, width: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(latent, width),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Linear(width, width),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Linear(width, outputs),
        )

    def forward(self, code: Tensor) -> Tensor:
        """Return the predicted descriptors of codes."""
        return self.layers(code)


class Decoder(nn.Module):
    """Code `(b, n)` to photo `(b, H, W, 3)` in [0, 1]."""

    def __init__(self, frame: tuple[int, int], latent: int, width: int = 32) -> None:
        super().__init__()
        self.frame, self.ratio = frame, body_ratio(frame)
        sizes = [body_size(frame)]
        for _ in range(3):
            sizes.append(halved_size(sizes[-1]))
        self.sizes = sizes[::-1]
        self.start_shape = (3 * width, *self.sizes[0])
        self.dense = nn.Sequential(
            nn.Linear(latent, 256),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Linear(256, math.prod(self.start_shape)),
            nn.LeakyReLU(0.1, inplace=True),
        )
        widths = (3 * width, 3 * width, 5 * width // 2, 2 * width, width)
        self.blocks = nn.ModuleList(conv_block(a, b) for a, b in pairwise(widths))
        self.colour = nn.Conv2d(width, 3, 3, 1, 1)
        self.ground = nn.Conv2d(width, 3, 3, 1, 1)
        self.outline = nn.Conv2d(width, 1, 3, 1, 1)
        # The background starts nearly white.
        nn.init.zeros_(self.ground.weight)
        nn.init.constant_(self.ground.bias, 4.0)  # type: ignore[arg-type]

    def decode_body(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Return features `(b, c, h, w)` and the logits of the body's colours, `(b, 3, h, w)`."""
        x = self.dense(code).view(-1, *self.start_shape).contiguous(memory_format=torch.channels_last)
        x = self.blocks[0](x)
        for size, block in zip(self.sizes[1:], list(self.blocks)[1:], strict=True):
            x = block(functional.interpolate(x, size=size, mode="nearest"))
        return x, self.colour(x)

    def decode_layers(self, code: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the colours of product and background, `(b, 3, H, W)` each, and the logits of the outline."""
        features, logits = self.decode_body(code)
        colours = torch.sigmoid(torch.cat([logits, self.ground(features)], dim=1).float())
        stacked = torch.cat([colours, self.outline(features).float()], dim=1)
        if self.ratio > 1:
            size = (self.sizes[-1][0] * self.ratio, self.sizes[-1][1] * self.ratio)
            stacked = functional.interpolate(stacked, size=size, mode="bilinear", align_corners=False)
        stacked = stacked[:, :, : self.frame[0], : self.frame[1]]
        return stacked[:, :3], stacked[:, 3:6], stacked[:, 6:]

    def forward(self, code: Tensor) -> Tensor:
        """Return photos of the frame's size, `(b, H, W, 3)` in [0, 1]."""
        return compose_layers(*self.decode_layers(code), OUTLINE_SHARPNESS).permute(0, 2, 3, 1)


def compose_layers(product: Tensor, ground: Tensor, outline: Tensor, sharpness: float) -> Tensor:
    """Compose product and background, `(b, 3, H, W)`, with the outline's logits multiplied by `sharpness`.

    At 1 the outline is as soft as it is uncertain, which minimises squared error; above, it is sharper.
    """
    return ground + torch.sigmoid(sharpness * outline) * (product - ground)


class PaperEncoder(nn.Module):
    """The paper's encoder: three convolutions and dense layers (section 3.2); strides 2, 2, 3."""

    STRIDES = (2, 2, 3)

    def __init__(self, frame: tuple[int, int], latent: int) -> None:
        super().__init__()
        self.frame = frame
        self.padding = [(-side) % math.prod(self.STRIDES) for side in frame]
        grid = [(side + pad) // math.prod(self.STRIDES) for side, pad in zip(frame, self.padding, strict=True)]
        layers: list[nn.Module] = []
        channels = (3, 16, 32, 64)
        for inputs, outputs, stride in zip(channels, channels[1:], self.STRIDES, strict=False):
            layers += [nn.Conv2d(inputs, outputs, stride, stride), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)]
        self.features = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Linear(64 * grid[0] * grid[1], 128), nn.BatchNorm1d(128), nn.LeakyReLU(0.1)
        )
        self.head = nn.Linear(128, 2 * latent)

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and std of q(z|x), `(b, n)` each."""
        x = functional.pad(photo.permute(0, 3, 1, 2), (0, self.padding[1], 0, self.padding[0]), value=1.0)
        mean, log_var = self.head(self.dense(self.features(x))).float().chunk(2, dim=1)
        return mean, torch.exp(0.5 * log_var.clamp(-12.0, 4.0))


class PaperDecoder(nn.Module):
    """The paper's decoder: dense layers and three transposed convolutions that do not overlap."""

    def __init__(self, frame: tuple[int, int], latent: int) -> None:
        super().__init__()
        self.frame = frame
        strides = PaperEncoder.STRIDES[::-1]
        self.grid = [math.ceil(side / math.prod(strides)) for side in frame]
        self.dense = nn.Sequential(
            nn.Linear(latent, 128),
            nn.BatchNorm1d(128),
            nn.LeakyReLU(0.1),
            nn.Linear(128, 64 * self.grid[0] * self.grid[1]),
            nn.LeakyReLU(0.1),
        )
        layers: list[nn.Module] = []
        channels = (64, 64, 32, 16)
        for inputs, outputs, stride in zip(channels, channels[1:], strides, strict=False):
            layers += [nn.ConvTranspose2d(inputs, outputs, stride, stride), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)]
        layers.append(nn.Conv2d(16, 3, 1))
        self.features = nn.Sequential(*layers)

    def forward(self, code: Tensor) -> Tensor:
        """Return photos of the frame's size, `(b, H, W, 3)` in [0, 1]."""
        x = self.features(self.dense(code).view(-1, 64, *self.grid))
        return torch.sigmoid(x[:, :, : self.frame[0], : self.frame[1]]).permute(0, 2, 3, 1)


def build_network(preset: str, frame: tuple[int, int], latent: int, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Return the encoder and the decoder of a preset."""
    if preset == "paper":
        return PaperEncoder(frame, latent), PaperDecoder(frame, latent)
    return Encoder(frame, latent, **options), Decoder(frame, latent, **options)
