"""A trained model as files: its configuration, its card, and an ONNX engine that needs no torch."""
