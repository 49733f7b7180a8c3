#!/usr/bin/env python3
"""Sentence polarity (Pang and Lee 2005) with the sentiment LSTM in PyTorch: accuracy on a held-out tenth."""

from collections import Counter

import torch
import torch.nn.functional as F

from common import Report, arguments, evaluate, fit, log, start_torch
from models import SentimentLSTM
from split import split

WORDS, LENGTH = 10_000, 60
PADDING, UNKNOWN = 0, 1


def load(directory):
    """Words of each line, and 1 for positive: the negative file first."""
    lines, labels = [], []
    for label, name in enumerate(("rt-polarity.neg", "rt-polarity.pos")):
        with open(directory / name, encoding="utf-8") as file:
            for line in file:
                lines.append(line.split())
                labels.append(float(label))
    return lines, torch.tensor(labels)


def vocabulary(lines):
    """The most frequent words of the training lines, from 2 on."""
    counts = Counter(word for line in lines for word in line)
    return {word: i + 2 for i, (word, _) in enumerate(counts.most_common(WORDS - 2))}


def encode(lines, words):
    """The first LENGTH words, padded in front as Keras pads: [N, LENGTH]."""
    tokens = torch.full((len(lines), LENGTH), PADDING)
    for row, line in zip(tokens, lines):
        ids = [words.get(word, UNKNOWN) for word in line][:LENGTH]
        if ids:
            row[LENGTH - len(ids) :] = torch.tensor(ids)
    return tokens


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("sentiment", "LSTM", options.seed)
    lines, labels = load(options.data)
    parts = split(len(lines), options.seed, validation=1 / 9, test=0.1)
    tokens = encode(lines, vocabulary(lines[i] for i in sorted(parts.train)))
    train, validation, test = ((tokens[i], labels[i]) for i in (parts.train, parts.validation, parts.test))

    model = SentimentLSTM()
    loss = F.binary_cross_entropy_with_logits
    epochs = fit(
        model, torch.optim.Adam(model.parameters(), 1e-3), lambda i: loss(model(train[0][i]), train[1][i]),
        samples=len(train[1]), batch=32, epochs=options.epochs or 10, patience=3,
        validate=lambda: evaluate(model, *validation, loss),
    )
    scores = evaluate(model, *test, loss)
    log(f"test: {scores}")
    report.print("accuracy", scores["accuracy"], epochs=epochs)


if __name__ == "__main__":
    main()
