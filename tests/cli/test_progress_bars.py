"""Progress on standard error: a line per epoch, unless it is quiet or a terminal."""

from __future__ import annotations

import pytest

from modiste.cli.progress_bars import ProgressBars

EVENTS = [
    {"stage": "read", "done": 0, "total": None},
    {"stage": "train", "epoch": 1, "epochs": 2, "step": 5, "steps": 10, "loss": 3.25, "images_per_second": 120.0},
    {"stage": "epoch", "epoch": 1, "epochs": 2, "loss": 3.25, "validation_kl": 7.0, "images_per_second": 119.7},
    {"stage": "encode", "done": 3, "total": 24},
]


@pytest.mark.parametrize(
    ("quiet", "expected"), [(False, "epoch 1/2 loss 3.25  validation kl 7  120 photos/s\n"), (True, "")]
)
def test_one_line_is_printed_for_each_epoch_unless_quiet(
    quiet: bool, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProgressBars(quiet=quiet) as bars:
        for event in EVENTS:
            bars(event)
    assert capsys.readouterr() == ("", expected)


def test_each_stage_has_a_progress_bar() -> None:
    with ProgressBars() as bars:
        for event in EVENTS:
            bars(event)
    assert [(task.description, task.completed, task.total) for task in bars.tasks] == [
        ("read", 0, 0),
        ("train", 5, 20),
        ("encode", 3, 24),
    ]
    assert bars.tasks[1].fields["details"] == "epoch 1/2  loss 3.25  120 photos/s"
