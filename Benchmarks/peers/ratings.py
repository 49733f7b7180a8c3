#!/usr/bin/env python3
"""Ratings drawn from a known model, so that the best possible error is known: the deviation of the noise.

rating = 3.5 + user bias + item bias + user vector . item vector + noise; written as user,item,rating to DIR/ratings.csv.
"""

import argparse
import random
from pathlib import Path

USERS, ITEMS, RANK, RATINGS = 1_000, 500, 4, 200_000
BIAS, NOISE = 0.3, 0.5
MEAN = 3.5


def write(path: Path, seed: int = 1) -> None:
    draw = random.Random(seed).gauss
    # Each of the RANK products has deviation 0.4: together 0.8.
    users = [(draw(0, BIAS), [draw(0, 0.4**0.5) for _ in range(RANK)]) for _ in range(USERS)]
    items = [(draw(0, BIAS), [draw(0, 0.4**0.5) for _ in range(RANK)]) for _ in range(ITEMS)]
    pairs = random.Random(seed + 1).sample(range(USERS * ITEMS), RATINGS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        file.write("user,item,rating\n")
        for pair in pairs:
            (user_bias, p), (item_bias, q) = users[pair // ITEMS], items[pair % ITEMS]
            rating = MEAN + user_bias + item_bias + sum(a * b for a, b in zip(p, q)) + draw(0, NOISE)
            file.write(f"{pair // ITEMS},{pair % ITEMS},{rating:.4f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    write(parser.parse_args().directory / "ratings.csv")
