#!/usr/bin/env python3
"""A small GPT on the English captions of Multi30k in PyTorch: perplexity per word (the end of a line counts as one) on
test_2016_flickr."""

import math

import torch
import torch.nn.functional as F

import captions
from common import Report, arguments, batches, fit, log, start_torch
from models import GPT

LENGTH = 64


def windows(sentences, words):
    """All lines in a row, each closed by END, cut every LENGTH tokens: inputs and what follows each, [N, LENGTH]."""
    stream = []
    for sentence in sentences:
        stream += captions.encode(sentence, words) + [captions.END]
    count = (len(stream) - 1) // LENGTH
    inputs = torch.tensor(stream[: count * LENGTH]).view(count, LENGTH)
    targets = torch.tensor(stream[1 : count * LENGTH + 1]).view(count, LENGTH)
    return inputs, targets


def loss(model, inputs, targets):
    return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())


def mean_loss(model, inputs, targets):
    with torch.no_grad():
        parts = [(loss(model, inputs[i], targets[i]).item(), len(i)) for i in batches(torch.arange(len(inputs)), 64)]
    return sum(value * n for value, n in parts) / len(inputs)


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("language", "GPT", options.seed)
    known = captions.lines(options.data, "train.en")
    words = captions.vocabulary(known)
    train, validation, test = (
        windows(captions.lines(options.data, f"{name}.en"), words) for name in ("train", "val", "test_2016_flickr"))
    size = len(words) + captions.RESERVED
    log(f"{size} words, {train[0].numel()} tokens to learn from")

    model = GPT(vocabulary=size, width=128, heads=4, blocks=2, length=LENGTH, dropout=0.1, tied=True)
    epochs, batch = options.epochs or 8, 32
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, betas=(0.9, 0.98), weight_decay=0.01)
    warmup, steps = 100, epochs * -(-len(train[0]) // batch)

    def rate(step):
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 + 0.5 * math.cos(math.pi * (step - warmup) / (steps - warmup))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    fit(
        model, optimizer, lambda i: loss(model, train[0][i], train[1][i]),
        samples=len(train[0]), batch=batch, epochs=epochs, schedule=schedule, clip=1.0,
        validate=lambda: {"loss": mean_loss(model, *validation)},
    )
    validated = round(math.exp(mean_loss(model, *validation)), 2)
    size = sum(parameter.numel() for parameter in model.parameters())
    report.print("perplexity", math.exp(mean_loss(model, *test)), validation=validated, epochs=epochs, parameters=size)


if __name__ == "__main__":
    main()
