"""Model card: a README with a model's origin, measurements and limits."""

from __future__ import annotations

from pathlib import Path

from modiste.vae.config import ModelConfig

CARD_TEMPLATE = """\
---
library_name: modiste
license: other
tags: [variational-autoencoder, fashion, image-retrieval, recommendation]
---

# Modiste model {model_id}

A variational autoencoder with {latent} latents, preset `{preset}`, for product photos of {width} x {height} pixels.
It decodes codes to pictures of products, and encodes every photo to the posterior that similarity search uses.

## Training data

- {trained} photos of the shop's own catalogue (catalogue hash `{catalogue}`), {held_out} more held out.
- {epochs} epochs, seed {seed}, {seconds:.0f} seconds of training.
- The photos belong to the shop. Their licence decides whether this model may be shared.

## Measurements at the end of training

| measure | value |
|---|---|
| PSNR of held-out photos | {psnr:.2f} dB |
| mean squared error of held-out photos, pixels in [0, 1] | {mse:.5f} |
| information in the code | {kl:.1f} nats |
| latents with more than 0.1 nats | {active} of {latent} |
| largest difference between ONNX and torch | {onnx:.1e} |

## Use

```python
import modiste

shop = modiste.Shop.open("my-shop")
picture = shop.draw(shop.random_design(seed=1))
```

## Limits

The model draws pictures, not products that anyone can buy. It knows only products like those it was trained on, in
similar photos: one complete product on a plain background. Fine details and prints are lost in {latent} numbers.
"""


def write_card(config: ModelConfig, directory: Path) -> Path:
    """Write `README.md` for a model into `directory` and return its path."""
    height, width = config.frame
    training = config.training
    held_out = len(config.validation_ids)
    text = CARD_TEMPLATE.format(
        model_id=config.model_id,
        latent=config.latent,
        preset=config.preset,
        width=width,
        height=height,
        trained=int(training.get("products", 0)) - held_out if "products" in training else "The",
        held_out=held_out,
        catalogue=config.catalogue_hash[:12] or "unknown",
        epochs=training.get("epochs"),
        seed=training.get("seed"),
        seconds=float(training.get("seconds", 0.0)),
        psnr=config.metrics.get("psnr", float("nan")),
        mse=config.metrics.get("mse", float("nan")),
        kl=sum(config.kl_per_latent),
        active=sum(value > 0.1 for value in config.kl_per_latent),
        onnx=config.metrics.get("onnx_difference", float("nan")),
    )
    path = directory / "README.md"
    path.write_text(text, encoding="utf-8")
    return path
