"""What training minimises: the paper's loss, and ours.

Ours is an evidence lower bound with a calibrated Gaussian decoder (sigma-VAE: Rybkin et al. 2021, "Simple and
effective VAE training with calibrated decoders"): the decoder's variance is the batch's mean squared error, so the
reconstruction term is D/2 log(MSE) and needs no hand-set weight against KL. The error is measured

- in opponent colours with chroma amplified, so that a small coloured product is not drawn grey;
- with the foreground weighted, since most of a product photo is background;
- at three scales, so that position and overall colour count as much as edges;
- on the silhouette too, which is what tells one kind of product from another.

A consistency term (CR-VAE: Sinha and Dieng 2021) asks that a moved or zoomed photo keep its posterior. It also keeps
the posterior wide enough for Eq. 2 of the paper to mean something.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from modiste.vae.network import Decoder, Encoder, shrink

# Rows: lightness, red against green, yellow against blue; orthonormal, so lightness and chroma are comparable.
OPPONENT = torch.tensor(
    [[3**-0.5, 3**-0.5, 3**-0.5], [2**-0.5, -(2**-0.5), 0.0], [6**-0.5, 6**-0.5, -2 * 6**-0.5]]
)
SILHOUETTE_EDGE = 0.06  # distance from the background, of 1, at which a pixel is half foreground


@dataclass(frozen=True)
class Terms:
    """The loss of one batch and its parts, scalars: nats per photo, and the plain mean squared error."""

    loss: Tensor
    reconstruction: Tensor
    kl: Tensor
    consistency: Tensor
    mse: Tensor


def kl_per_latent(mean: Tensor, std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) in nats, `(b, n)` (Kingma and Welling 2013, appendix B)."""
    return 0.5 * (mean**2 + std**2 - 1.0) - torch.log(std)


def kl_between(mean_a: Tensor, std_a: Tensor, mean_b: Tensor, std_b: Tensor) -> Tensor:
    """KL(a ‖ b) of diagonal Gaussians in nats, `(b,)`."""
    ratio = (std_a / std_b) ** 2
    return (0.5 * (ratio + ((mean_a - mean_b) / std_b) ** 2 - 1.0 - torch.log(ratio))).sum(1)


def silhouette(photo: Tensor) -> Tensor:
    """Soft foreground `(b, 1, h, w)` in [0, 1] of `(b, 3, h, w)`: how far each pixel is from the photo's background."""
    border = torch.cat([photo[:, :, 0], photo[:, :, -1], photo[:, :, :, 0], photo[:, :, :, -1]], dim=2)
    background = border.median(dim=2).values[:, :, None, None]
    distance = (photo - background).abs().amax(dim=1, keepdim=True)
    return torch.sigmoid((distance - SILHOUETTE_EDGE) * (4.0 / SILHOUETTE_EDGE))


def weighted_error(
    photo: Tensor, drawn: Tensor, weight: Tensor, chroma: float, scales: tuple[int, ...]
) -> Tensor:
    """Mean squared error in opponent colours, foreground-weighted, averaged over `scales` (block sides)."""
    gain = OPPONENT.to(photo) * photo.new_tensor([1.0, chroma, chroma])[:, None]
    # A 1 x 1 convolution, not an einsum: it keeps channels-last, which halves the time of every gradient below it.
    error = functional.conv2d(photo - drawn, gain[:, :, None, None])
    total = error.new_zeros(())
    for scale in scales:
        coarse, share = shrink(error, scale), shrink(weight, scale)
        total = total + (coarse**2 * share).mean()
    return total / len(scales)


def default_terms(
    encoder: Encoder,
    decoder: Decoder,
    body: Tensor,
    full: Tensor | None,
    moved: Tensor,
    *,
    chroma: float,
    foreground: float,
    silhouette_weight: float,
    consistency: float,
    noise: Tensor,
) -> Terms:
    """Ours. `body` and `moved` are `(b, 3, h, w)`, `full` is `(b, 3, H, W)` or None while only the body is trained."""
    both_mean, both_std = encoder.encode_body(torch.cat([body, moved]))
    mean, moved_mean = both_mean.chunk(2)
    std, moved_std = both_std.chunk(2)
    features, low = decoder.body(mean + std * noise)
    low = low.float()
    shape = silhouette(body)
    spread = functional.max_pool2d(shape, 3, 1, 1)
    weight = 1.0 + (foreground - 1.0) * spread
    drawn = torch.sigmoid(low)
    error = weighted_error(body, drawn, weight, chroma, (1, 4, 8))
    mse = functional.mse_loss(drawn, body)
    if full is not None:
        drawn_full = torch.sigmoid(decoder.full(features, low).float())
        wide = functional.interpolate(weight, size=full.shape[2:], mode="nearest")
        error = 0.5 * error + 0.5 * weighted_error(full, drawn_full, wide, chroma, (1, decoder.ratio))
        mse = functional.mse_loss(drawn_full, full)
    outline = functional.mse_loss(torch.sigmoid(decoder.outline(features).float()), shape)
    values = body[0].numel()
    reconstruction = 0.5 * values * torch.log(error + silhouette_weight * outline + 1e-8)
    kl = kl_per_latent(mean, std).sum(1).mean()
    drift = kl_between(moved_mean, moved_std, mean, std).mean()
    loss = reconstruction + kl + consistency * drift
    return Terms(loss, reconstruction, kl, drift, mse)


def paper_terms(mean: Tensor, std: Tensor, drawn: Tensor, photo: Tensor) -> Terms:
    """The paper's: mean squared error x height x width + KL (photos `(b, H, W, 3)`)."""
    mse = functional.mse_loss(drawn, photo)
    reconstruction = mse * photo.shape[1] * photo.shape[2]
    kl = kl_per_latent(mean, std).sum(1).mean()
    return Terms(reconstruction + kl, reconstruction, kl, mse.new_zeros(()), mse)
