#!/usr/bin/env python3
"""Matrix factorisation of ratings.py's ratings in PyTorch: root mean square error on a held-out tenth."""

import csv

import torch
import torch.nn.functional as F
from torch import nn

import ratings
from common import Report, arguments, fit, start_torch
from split import split


class Factors(nn.Module):
    """user bias + item bias + user vector . item vector; [N] and [N] -> [N]."""

    def __init__(self, width=8):
        super().__init__()
        self.users, self.items = nn.Embedding(ratings.USERS, width), nn.Embedding(ratings.ITEMS, width)
        self.user_bias, self.item_bias = nn.Embedding(ratings.USERS, 1), nn.Embedding(ratings.ITEMS, 1)
        for table in (self.users, self.items, self.user_bias, self.item_bias):
            nn.init.uniform_(table.weight, -0.05, 0.05)

    def forward(self, pairs):
        user, item = pairs.unbind(-1)
        biases = (self.user_bias(user) + self.item_bias(item)).squeeze(-1)
        return biases + (self.users(user) * self.items(item)).sum(-1)


def load(directory):
    with open(directory / "ratings.csv") as file:
        rows = list(csv.reader(file))[1:]
    return torch.tensor([[int(u), int(i)] for u, i, _ in rows]), torch.tensor([float(r) for _, _, r in rows])


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("recommendation", "matrix factorisation", options.seed)
    pairs, scores = load(options.data)
    parts = split(len(scores), options.seed, validation=0.1, test=0.1)
    pairs_of, scores_of = ([x[i] for i in (parts.train, parts.validation, parts.test)] for x in (pairs, scores))

    model = Factors(ratings.RANK)
    mean = scores_of[0].mean()

    def error(part):
        with torch.no_grad():
            return F.mse_loss(mean + model(pairs_of[part]), scores_of[part]).item()

    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    epochs = fit(
        model, optimizer, lambda i: F.mse_loss(mean + model(pairs_of[0][i]), scores_of[0][i]),
        samples=len(parts.train), batch=256, epochs=options.epochs or 30, patience=3,
        validate=lambda: {"loss": error(1)},
    )
    report.print("rmse", error(2) ** 0.5, noise=ratings.NOISE, epochs=epochs)


if __name__ == "__main__":
    main()
