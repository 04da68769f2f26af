"""Networks and losses for any frame and any number of latents."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modiste.vae.training import TrainSettings, Vae
from modiste.vae.training.augment import shift_and_zoom
from modiste.vae.training.losses import covariance_penalty, decoder_phase_loss, kl_between, kl_per_latent, silhouette
from modiste.vae.training.network import LOG_STD_SPREAD, compose_layers


@pytest.mark.parametrize("preset", ["default", "paper"])
@settings(max_examples=8, deadline=None)
@given(height=st.integers(16, 130), width=st.integers(16, 130), latent=st.integers(1, 40), count=st.integers(1, 3))
def test_outputs_have_the_right_shapes_for_any_frame(
    preset: str, height: int, width: int, latent: int, count: int
) -> None:
    vae = Vae.untrained(preset, (height, width), latent).eval()
    with torch.no_grad():
        mean, std, drawn = vae(torch.rand(count, height, width, 3))
    assert mean.shape == std.shape == (count, latent)
    assert drawn.shape == (count, height, width, 3)
    assert (std > 0).all()
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_photos_of_a_batch_are_independent() -> None:
    vae = Vae.untrained("default", (48, 36), 4).eval()
    photos = torch.rand(3, 48, 36, 3)
    with torch.no_grad():
        together, alone = vae.encoder(photos)[0], vae.encoder(photos[1:2])[0]
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-5)


def test_kl_equals_torch() -> None:
    mean, std = torch.randn(5, 3), torch.rand(5, 3) + 0.1
    other_mean, other_std = torch.randn(5, 3), torch.rand(5, 3) + 0.1
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, std), normal(torch.zeros(3), torch.ones(3)))
    torch.testing.assert_close(kl_per_latent(mean, std), expected)
    between = torch.distributions.kl_divergence(normal(mean, std), normal(other_mean, other_std)).sum(1)
    torch.testing.assert_close(kl_between(mean, std, other_mean, other_std), between)


def test_silhouette_is_the_foreground_on_any_background() -> None:
    photo = torch.full((1, 3, 20, 20), 0.4)
    photo[:, 0, 5:15, 5:15] = 0.9
    shape = silhouette(photo)[0, 0]
    assert (shape[5:15, 5:15] > 0.95).all()
    assert (shape[0] < 0.05).all()


def test_shift_and_zoom_leaves_only_plain_photos_unchanged() -> None:
    plain = torch.full((2, 3, 12, 12), 0.7)
    torch.testing.assert_close(shift_and_zoom(plain, torch.rand(len(plain), 3)), plain)
    photo = torch.zeros(1, 3, 12, 12)
    photo[:, :, 4:8, 4:8] = 1.0
    torch.manual_seed(0)
    assert not torch.allclose(shift_and_zoom(photo, torch.rand(len(photo), 3)), photo)


def test_deviations_differ_little_between_photos() -> None:
    vae = Vae.untrained("default", (48, 36), 4).eval()
    with torch.no_grad():
        vae.encoder.head.weight.mul_(1e5)  # without the limit, they would differ far more
        _, std = vae.encoder(torch.rand(64, 48, 36, 3) ** torch.linspace(0.2, 5, 64)[:, None, None, None])
    apart = (std.amax(0) / std.amin(0)).max()
    assert 1.2 < apart <= float(torch.tensor(2 * LOG_STD_SPREAD).exp()) + 1e-5


def test_sharp_outline_is_product_or_background() -> None:
    product, ground = torch.full((1, 3, 4, 8), 0.2), torch.full((1, 3, 4, 8), 0.9)
    outline = torch.linspace(-1.0, 1.0, 8).expand(1, 1, 4, 8)
    soft, firm = (compose_layers(product, ground, outline, crisp) for crisp in (1.0, 1000.0))
    torch.testing.assert_close(firm[..., :4], ground[..., :4])
    torch.testing.assert_close(firm[..., 4:], product[..., 4:])
    assert ((soft > 0.25) & (soft < 0.85)).all()


def test_covariance_penalty_detects_correlated_latents() -> None:
    apart = torch.randn(4000, 3)
    together = torch.stack([apart[:, 0], apart[:, 0], apart[:, 2]], dim=1)
    assert covariance_penalty(apart) < 0.02
    assert covariance_penalty(together) > 1.5


def test_decoder_phase_learns_each_layer() -> None:
    """A disc before a grey ground: after some steps the layers hold the one colour and the other."""
    torch.manual_seed(0)
    decoder = Vae.untrained("default", (48, 36), 2).decoder
    photo = torch.full((8, 3, 48, 36), 0.8)
    photo[:, 0, 14:34, 10:26] = 0.1
    optimizer = torch.optim.Adam(decoder.parameters(), 5e-3)
    mean, std = torch.zeros(8, 2), torch.full((8, 2), 0.1)
    for _ in range(60):
        terms = decoder_phase_loss(decoder, photo, mean, std, torch.randn(8, 2), TrainSettings(frame=(48, 36)))
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    with torch.no_grad():
        product, ground, outline = decoder.eval().decode_layers(mean[:1])
    assert (outline[0, 0, 18:30, 14:22] > 0).all()
    assert (outline[0, 0, :8] < 0).all()
    assert abs(float(product[0, 0, 24, 18]) - 0.1) < 0.1
    assert abs(float(ground[0, 0, 2, 2]) - 0.8) < 0.1
