"""What training minimises: the paper's loss, and ours in two phases.

First encoder and decoder learn together, on small photos. Ours is an evidence lower bound with calibrated Gaussian
decoders (sigma-VAE: Rybkin et al. 2021, "Simple and effective VAE training with calibrated decoders"): a decoder's
variance is the batch's mean squared error, so the reconstruction term is D/2 log(MSE) and needs no hand-set weight
against KL. From a code is drawn

- the photo, its error measured in opponent colours with chroma amplified, with the foreground weighted, and at three
  scales, so that position and overall colour count as much as edges;
- its silhouette;
- descriptors made by hand, of its shape and of its colours (see `latent/descriptors.py`): what makes two products
  alike to the eye, and hardly counts in pixels.

A consistency term (CR-VAE: Sinha and Dieng 2021) asks that a moved or zoomed photo keep its posterior, and a
covariance term (DIP-VAE: Kumar et al. 2018) that latents vary apart.

Then only the decoder learns, on whole frames: squared error, of the picture and of its layers, and the outline's
cross-entropy.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import functional

from modiste.vae.training.network import (
    Decoder,
    Encoder,
    compose_layers,
    downscale,
)
from modiste.vae.training.settings import TrainSettings

if TYPE_CHECKING:
    from modiste.vae.training.vae import Vae

# Rows: lightness, red against green, yellow against blue; orthonormal, so lightness and chroma are comparable.
OPPONENT = torch.tensor(
    [[3**-0.5, 3**-0.5, 3**-0.5], [2**-0.5, -(2**-0.5), 0.0], [6**-0.5, 6**-0.5, -2 * 6**-0.5]]
)
MIN_SQUARED_ERROR = 1e-4  # squared error: a photo drawn within 40 dB is good enough
SILHOUETTE_EDGE = 0.06  # distance from the background, of 1, at which a pixel is half foreground


@dataclass(frozen=True)
class LossTerms:
    """The loss of one batch and its parts, scalars: nats per photo, and the plain mean squared error.

    `others` are errors that only some phases have, by name.
    """

    loss: Tensor
    reconstruction: Tensor
    kl: Tensor
    consistency: Tensor
    mse: Tensor
    others: dict[str, Tensor]

    def as_dict(self) -> dict[str, Tensor]:
        """All of them by name."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "others"}
        return own | self.others


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
        coarse, share = downscale(error, scale), downscale(weight, scale)
        total = total + (coarse**2 * share).mean()
    return total / len(scales)


def covariance_penalty(mean: Tensor) -> Tensor:
    """Return the sum of squared covariances between different latents of a batch of means `(b, n)`.

    It is 0 where each slider varies by itself (DIP-VAE: Kumar et al. 2018, Eq. 6, off the diagonal).
    """
    about = mean - mean.mean(dim=0)
    covariance = about.T @ about / len(mean)
    return (covariance - torch.diag(torch.diag(covariance))).square().sum()


def joint_phase_loss(
    vae: Vae,
    body: Tensor,
    augmented: Tensor,
    descriptors: tuple[Tensor, Tensor],
    noise: Tensor,
    settings: TrainSettings,
) -> LossTerms:
    """Ours, while encoder and decoder learn together. `body` and `moved` are `(b, 3, h, w)`.

    `looks` are the descriptors of shape and of colour, `(b, 2892)` and `(b, 390)`; `noise` is `(b, n)`.
    """
    encoder, decoder, describer = cast(Encoder, vae.encoder), cast(Decoder, vae.decoder), vae.describer
    assert describer is not None
    both_mean, both_std = encoder.encode_body(torch.cat([body, augmented]))
    mean, moved_mean = both_mean.chunk(2)
    std, moved_std = both_std.chunk(2)
    code = mean + std * noise
    features, low = decoder.decode_body(code)
    shape = silhouette(body)
    weight = 1.0 + (settings.foreground - 1.0) * functional.max_pool2d(shape, 3, 1, 1)
    drawn = torch.sigmoid(low.float())
    error = weighted_error(body, drawn, weight, settings.chroma, (1, 4, 8))
    outline = functional.mse_loss(torch.sigmoid(decoder.outline(features).float()), shape)
    shape_error, colour_error = (
        (told - true).square().sum(dim=1).mean()
        for told, true in zip(
            describer(code).float().split([look.shape[1] for look in descriptors], dim=1),
            descriptors,
            strict=True,
        )
    )
    kl = kl_per_latent(mean, std).sum(1).mean()
    drift = kl_between(moved_mean, moved_std, mean, std).mean()
    mse = functional.mse_loss(drawn, body)
    # Each error is calibrated by itself: what counts is by what share it falls.
    logs = (
        (1.0 - settings.shape - settings.colour) * torch.log(error + settings.silhouette * outline + 1e-8)
        + settings.shape * torch.log(shape_error + 1e-4)
        + settings.colour * torch.log(colour_error + 1e-4)
    )
    reconstruction = 0.5 * body[0].numel() * logs
    shared = covariance_penalty(mean)
    loss = reconstruction + kl + settings.consistency * drift + settings.independence * shared
    return LossTerms(
        loss,
        reconstruction,
        kl,
        drift,
        mse,
        {"shape_error": shape_error, "colour_error": colour_error, "correlation": shared},
    )


def decoder_phase_loss(
    decoder: Decoder, photo: Tensor, mean: Tensor, std: Tensor, noise: Tensor, settings: TrainSettings
) -> LossTerms:
    """Ours, while only the decoder learns, at the whole frame: photos `(b, 3, H, W)`, their posteriors `(b, n)`.

    The codes are settled, and nothing that pictures need can spoil what they know. Each layer learns what it stands
    for: the product's colours where there is product, the ground's elsewhere, the outline how likely either is; so
    that the picture composed of them can be cut as firmly as one likes. Each photo's error is calibrated by itself:
    PSNR is a mean of logarithms too.
    """
    product, ground, outline = decoder.decode_layers(mean + std * noise)
    shape = silhouette(photo)
    drawn = compose_layers(product, ground, outline, 1.0)
    errors = (drawn - photo).square().mean(dim=(1, 2, 3))
    parted = shape * (product - photo).square() + (1.0 - shape) * (ground - photo).square()
    unsure = functional.binary_cross_entropy_with_logits(outline, shape)
    whole = torch.log(errors + MIN_SQUARED_ERROR).mean()
    layered = torch.log(parted.mean(dim=(1, 2, 3)) + MIN_SQUARED_ERROR).mean()
    kl = kl_per_latent(mean, std).sum(1).mean()
    mse = errors.mean()
    logs = whole + settings.layers * layered + settings.outline * torch.log(unsure)
    reconstruction = 0.5 * photo[0].numel() * logs
    return LossTerms(
        reconstruction + kl, reconstruction, kl, photo.new_zeros(()), mse, {"outline_error": unsure}
    )


def paper_loss(mean: Tensor, std: Tensor, drawn: Tensor, photo: Tensor) -> LossTerms:
    """The paper's: mean squared error x height x width + KL (photos `(b, H, W, 3)`)."""
    mse, kl = functional.mse_loss(drawn, photo), kl_per_latent(mean, std).sum(1).mean()
    reconstruction = mse * photo.shape[1] * photo.shape[2]
    return LossTerms(reconstruction + kl, reconstruction, kl, mse.new_zeros(()), mse, {})
