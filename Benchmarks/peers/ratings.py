"""Ratings from known factors, number for number those of mld's reader `ratings`
(Sources/Datasets/Table/RatingsSource.swift): the best possible error is the deviation of the noise."""

from split import SplitMix64

USERS, ITEMS, RANK, RATINGS = 1_000, 500, 4, 200_000
NOISE = 0.5
STREAM = 4


def generated(seed: int) -> tuple[list[tuple[int, int]], list[float]]:
    """Pairs of user and item, and rating = user . item / sqrt(RANK) + noise."""
    random = SplitMix64(seed, STREAM)
    users, items = ([[random.normal() for _ in range(RANK)] for _ in range(count)] for count in (USERS, ITEMS))
    pairs, scores = {}, []
    while len(scores) < RATINGS:
        pair = random.below(USERS), random.below(ITEMS)
        if pair in pairs:
            continue
        pairs[pair] = True
        product = sum(a * b for a, b in zip(users[pair[0]], items[pair[1]]))
        scores.append(product / RANK**0.5 + NOISE * random.normal())
    return list(pairs), scores
