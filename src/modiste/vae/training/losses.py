"""Loss functions: the paper's, and that of the default preset, which has two phases.

In the first phase, encoder and decoder learn together on small photos ("bodies"). The loss is an evidence lower bound
with calibrated Gaussian decoders (sigma-VAE: Rybkin et al. 2021, "Simple and effective VAE training with calibrated
decoders"): a decoder's variance is the batch's mean squared error, so the reconstruction term is D/2 log(MSE) and needs
no hand-set weight against KL. A code is decoded to

- the photo, with its error in opponent colours with amplified chroma, with a weighted foreground, and at three scales,
  so that position and overall colour count as much as edges;
- its silhouette;
- hand-made descriptors of its shape and its colours (see `images/descriptors.py`): they are what makes two products
  look alike, and count little in a pixel error.

A consistency term (CR-VAE: Sinha and Dieng 2021) asks that a shifted or zoomed photo keep its posterior, and a
covariance term (DIP-VAE: Kumar et al. 2018) that latents vary independently.

In the second phase, only the decoder learns, on full frames: squared error of the picture and of its layers, and the
outline's cross-entropy.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from modiste.vae.training.network import Decoder, Encoder, compose_layers, downscale
from modiste.vae.training.settings import TrainSettings
from modiste.vae.training.vae import Vae

# Rows: lightness, red against green, yellow against blue; orthonormal, so lightness and chroma are comparable.
OPPONENT = torch.tensor([[3**-0.5, 3**-0.5, 3**-0.5], [2**-0.5, -(2**-0.5), 0.0], [6**-0.5, 6**-0.5, -2 * 6**-0.5]])
MIN_SQUARED_ERROR = 1e-4  # a PSNR of 40 dB is good enough
SILHOUETTE_EDGE = 0.06  # distance from the background, in [0, 1], at which a pixel is half foreground


@dataclass(frozen=True)
class LossTerms:
    """The loss of one batch and its terms, scalars in nats per photo, and the plain mean squared error.

    `others` are terms that only some phases have, by name.
    """

    loss: Tensor
    reconstruction: Tensor
    kl: Tensor
    consistency: Tensor
    mse: Tensor
    others: dict[str, Tensor]

    def as_dict(self) -> dict[str, Tensor]:
        """Return all terms by name."""
        terms = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "others"}
        return terms | self.others


def kl_per_latent(mean: Tensor, std: Tensor) -> Tensor:
    """Return KL(N(mean, std²) ‖ N(0, 1)) in nats, `(b, n)` (Kingma and Welling 2013, appendix B)."""
    return 0.5 * (mean**2 + std**2 - 1.0) - torch.log(std)


def kl_between(mean_a: Tensor, std_a: Tensor, mean_b: Tensor, std_b: Tensor) -> Tensor:
    """Return KL(a ‖ b) of diagonal Gaussians in nats, `(b,)`."""
    ratio = (std_a / std_b) ** 2
    return (0.5 * (ratio + ((mean_a - mean_b) / std_b) ** 2 - 1.0 - torch.log(ratio))).sum(1)


def silhouette(photo: Tensor) -> Tensor:
    """Return the soft foreground, `(b, 1, h, w)` in [0, 1], of photos `(b, 3, h, w)`, by distance to the background."""
    border = torch.cat([photo[:, :, 0], photo[:, :, -1], photo[:, :, :, 0], photo[:, :, :, -1]], dim=2)
    background = border.median(dim=2).values[:, :, None, None]
    distance = (photo - background).abs().amax(dim=1, keepdim=True)
    return torch.sigmoid((distance - SILHOUETTE_EDGE) * (4.0 / SILHOUETTE_EDGE))


def weighted_error(
    photo: Tensor, reconstruction: Tensor, weight: Tensor, chroma: float, scales: tuple[int, ...]
) -> Tensor:
    """Return the weighted mean squared error in opponent colours, averaged over `scales` (block sides)."""
    gain = OPPONENT.to(photo) * photo.new_tensor([1.0, chroma, chroma])[:, None]
    # A 1 x 1 convolution, not an einsum: it keeps channels-last, which halves the time of every gradient below it.
    error = functional.conv2d(photo - reconstruction, gain[:, :, None, None])
    total = error.new_zeros(())
    for scale in scales:
        coarse, coarse_weight = downscale(error, scale), downscale(weight, scale)
        total = total + (coarse**2 * coarse_weight).mean()
    return total / len(scales)


def covariance_penalty(mean: Tensor) -> Tensor:
    """Return the sum of squared covariances between different latents of a batch of means `(b, n)`.

    It is 0 if all latents are uncorrelated (DIP-VAE: Kumar et al. 2018, Eq. 6, off the diagonal).
    """
    centred = mean - mean.mean(dim=0)
    covariance = centred.T @ centred / len(mean)
    return (covariance - torch.diag(torch.diag(covariance))).square().sum()


def joint_phase_loss(
    vae: Vae,
    body: Tensor,
    augmented: Tensor,
    descriptors: tuple[Tensor, Tensor],
    noise: Tensor,
    settings: TrainSettings,
) -> LossTerms:
    """Return the loss of the first phase, in which encoder and decoder learn together.

    `body` are photos, `(b, 3, h, w)`, and `augmented` the same, shifted and zoomed; `descriptors` are those of shape
    and of colour, `(b, 2892)` and `(b, 390)`. `noise` is the distance of the codes from their means, in standard
    deviations, `(b, n)`.
    """
    encoder, decoder, describer = cast(Encoder, vae.encoder), cast(Decoder, vae.decoder), vae.describer
    assert describer is not None
    both_mean, both_std = encoder.encode_body(torch.cat([body, augmented]))
    mean, augmented_mean = both_mean.chunk(2)
    std, augmented_std = both_std.chunk(2)
    code = mean + std * noise
    features, logits = decoder.decode_body(code)
    shape = silhouette(body)
    weight = 1.0 + (settings.foreground - 1.0) * functional.max_pool2d(shape, 3, 1, 1)
    decoded = torch.sigmoid(logits.float())
    error = weighted_error(body, decoded, weight, settings.chroma, (1, 4, 8))
    outline = functional.mse_loss(torch.sigmoid(decoder.outline(features).float()), shape)
    predicted = describer(code).float().split([target.shape[1] for target in descriptors], dim=1)
    shape_error, colour_error = (
        (a - b).square().sum(dim=1).mean() for a, b in zip(predicted, descriptors, strict=True)
    )
    kl = kl_per_latent(mean, std).sum(1).mean()
    drift = kl_between(augmented_mean, augmented_std, mean, std).mean()
    mse = functional.mse_loss(decoded, body)
    # Each error is calibrated separately, so its relative decrease counts.
    logs = (
        (1.0 - settings.shape - settings.colour) * torch.log(error + settings.silhouette * outline + 1e-8)
        + settings.shape * torch.log(shape_error + 1e-4)
        + settings.colour * torch.log(colour_error + 1e-4)
    )
    reconstruction = 0.5 * body[0].numel() * logs
    covariance = covariance_penalty(mean)
    loss = reconstruction + kl + settings.consistency * drift + settings.independence * covariance
    others = {"shape_error": shape_error, "colour_error": colour_error, "correlation": covariance}
    return LossTerms(loss, reconstruction, kl, drift, mse, others)


def decoder_phase_loss(
    decoder: Decoder, photo: Tensor, mean: Tensor, std: Tensor, noise: Tensor, settings: TrainSettings
) -> LossTerms:
    """Return the loss of the second phase, in which only the decoder learns.

    `photo` is `(b, 3, H, W)`; `mean` and `std` are the photos' posteriors, `(b, n)` each.

    The encoder is frozen, so that details of the picture cannot degrade the codes. Each layer learns what it stands
    for: the product's colours inside the silhouette, the background's outside, and the outline the probability of
    either. So the outline can be sharpened when the layers are composed. Each photo's error is calibrated separately,
    because PSNR is a mean of logarithms, too.
    """
    product, ground, outline = decoder.decode_layers(mean + std * noise)
    shape = silhouette(photo)
    decoded = compose_layers(product, ground, outline, 1.0)
    errors = (decoded - photo).square().mean(dim=(1, 2, 3))
    layer_errors = shape * (product - photo).square() + (1.0 - shape) * (ground - photo).square()
    outline_error = functional.binary_cross_entropy_with_logits(outline, shape)
    picture_log = torch.log(errors + MIN_SQUARED_ERROR).mean()
    layer_log = torch.log(layer_errors.mean(dim=(1, 2, 3)) + MIN_SQUARED_ERROR).mean()
    kl = kl_per_latent(mean, std).sum(1).mean()
    mse = errors.mean()
    logs = picture_log + settings.layers * layer_log + settings.outline * torch.log(outline_error)
    reconstruction = 0.5 * photo[0].numel() * logs
    return LossTerms(
        reconstruction + kl, reconstruction, kl, photo.new_zeros(()), mse, {"outline_error": outline_error}
    )


def paper_loss(mean: Tensor, std: Tensor, decoded: Tensor, photo: Tensor) -> LossTerms:
    """Return the paper's loss, mean squared error x height x width + KL, for photos `(b, H, W, 3)`."""
    mse, kl = functional.mse_loss(decoded, photo), kl_per_latent(mean, std).sum(1).mean()
    reconstruction = mse * photo.shape[1] * photo.shape[2]
    return LossTerms(reconstruction + kl, reconstruction, kl, mse.new_zeros(()), mse, {})
