#!/usr/bin/env python3
"""Spoken digits (Free Spoken Digit Dataset) with a WaveNet classifier on raw audio in PyTorch: accuracy on the takes
0-4 of each digit and speaker."""

import wave

import torch
import torch.nn.functional as F

from common import Report, arguments, evaluate, fit, log, start_torch
from models import WaveNetClassifier
from split import split

LENGTH = 8_000
HELD_TAKES = 5
BATCH = 16


def load(directory):
    """Audio [N, LENGTH], the middle second of each recording or silence around it, at a root mean square of 1; digits;
    takes. In the order of the names."""
    paths = sorted(directory.glob("*.wav"))
    audio = torch.zeros(len(paths), LENGTH)
    digits, takes = [], []
    for row, path in zip(audio, paths):
        with wave.open(str(path)) as file:
            samples = torch.frombuffer(bytearray(file.readframes(file.getnframes())), dtype=torch.int16).float()
        count = min(len(samples), LENGTH)
        start, place = (len(samples) - count) // 2, (LENGTH - count) // 2
        row[place : place + count] = samples[start : start + count] / samples.square().mean().sqrt()
        digit, _, take = path.stem.split("_")
        digits.append(int(digit))
        takes.append(int(take))
    return audio[:, None], torch.tensor(digits), torch.tensor(takes)


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("speech", "WaveNet", options.seed)
    audio, digits, takes = load(options.data)
    known, test = torch.where(takes >= HELD_TAKES)[0], torch.where(takes < HELD_TAKES)[0]
    parts = split(len(known), options.seed, validation=0.1)
    train, validation = known[parts.train], known[parts.validation]

    model = WaveNetClassifier()
    epochs = options.epochs or 25
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    steps = epochs * -(-len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    fit(
        model, optimizer, lambda i: F.cross_entropy(model(audio[train[i]]), digits[train[i]]),
        samples=len(train), batch=BATCH, epochs=epochs, schedule=schedule, clip=1.0,
        validate=lambda: evaluate(model, audio[validation], digits[validation], F.cross_entropy),
    )
    scores = evaluate(model, audio[test], digits[test], F.cross_entropy)
    log(f"test: {scores}")
    report.print("accuracy", scores["accuracy"], epochs=epochs)


if __name__ == "__main__":
    main()
