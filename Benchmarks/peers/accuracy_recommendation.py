#!/usr/bin/env python3
"""Matrix factorisation of generated ratings in PyTorch: root mean square error on a held-out tenth."""

import torch
import torch.nn.functional as F
from torch import nn

import ratings
from common import Report, arguments, fit, start_torch
from split import split


class Factors(nn.Module):
    """user vector . item vector: [N, 2] -> [N]."""

    def __init__(self, width):
        super().__init__()
        self.users, self.items = nn.Embedding(ratings.USERS, width), nn.Embedding(ratings.ITEMS, width)
        for table in (self.users, self.items):
            nn.init.uniform_(table.weight, -0.05, 0.05)

    def forward(self, pairs):
        user, item = pairs.unbind(-1)
        return (self.users(user) * self.items(item)).sum(-1)


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    report = Report("recommendation", "matrix factorisation", options.seed)
    pairs, scores = map(torch.tensor, ratings.generated(options.seed))
    parts = split(len(scores), options.seed, validation=1 / 9, test=0.1)
    train, validation, test = ((pairs[i], scores[i]) for i in (parts.train, parts.validation, parts.test))
    model = Factors(ratings.RANK)

    def error(known):
        with torch.no_grad():
            return F.mse_loss(model(known[0]), known[1]).item()

    epochs = fit(
        model, torch.optim.Adam(model.parameters(), 2e-3), lambda i: F.mse_loss(model(train[0][i]), train[1][i]),
        samples=len(parts.train), batch=256, epochs=options.epochs or 30, patience=3,
        validate=lambda: {"loss": error(validation)},
    )
    report.print("rmse", error(test) ** 0.5, noise=ratings.NOISE, epochs=epochs)


if __name__ == "__main__":
    main()
