#!/usr/bin/env python3
"""Fashion-MNIST with a small convolutional network in PyTorch: accuracy on the test images."""

import torch
from torch import nn

from common import Report, arguments, log, start_torch
from fashion import Fashion, train_classifier


def network():
    """[N, 1, 28, 28] -> [N, 10]."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10),
    )


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("fashion-cnn", "CNN", options.seed)
    data = Fashion(options.data, options.seed)
    model, epochs = network(), options.epochs or 14
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    scores = train_classifier(model, data, optimizer, epochs, batch=64)
    log(f"test: {scores}")
    report.print("accuracy", scores["accuracy"], epochs=epochs)


if __name__ == "__main__":
    main()
