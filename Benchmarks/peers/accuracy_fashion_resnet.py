#!/usr/bin/env python3
"""Fashion-MNIST with ResNet-20 in PyTorch: accuracy on the test images."""

import torch

from common import Report, arguments, log, start_torch
from fashion import Fashion, train_classifier
from models import resnet


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("fashion-resnet20", "ResNet-20", options.seed)
    data = Fashion(options.data, options.seed)
    model, epochs = resnet(3, channels=1), options.epochs or 14
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    scores = train_classifier(model, data, optimizer, epochs, batch=128, augment=True)
    log(f"test: {scores}")
    report.print("accuracy", scores["accuracy"], epochs=epochs)


if __name__ == "__main__":
    main()
