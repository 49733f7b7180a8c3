"""mld's random numbers and split of samples, number for number (Sources/Tensors/SplitMix64.swift,
Sources/Datasets/Split.swift), so that both sides of a comparison learn from, and are judged by, the same samples."""

import math

from dataclasses import dataclass

MASK = (1 << 64) - 1
SPLIT_STREAM = 2


class SplitMix64:
    """Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014."""

    def __init__(self, seed: int, stream: int | None = None):
        self.state = seed & MASK
        if stream is not None:
            self.state ^= SplitMix64(stream).next()

    def next(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound: int) -> int:
        return (self.next() * bound) >> 64

    def unit(self) -> float:
        return (self.next() >> 40) * 2.0**-24

    def normal(self) -> float:
        radius = math.sqrt(-2 * math.log(1 - self.unit()))
        return radius * math.cos(2 * math.pi * self.unit())


def shuffled(count: int, seed: int) -> list[int]:
    """0..<count in the order mld's split shuffles it."""
    order = list(range(count))
    generator = SplitMix64(seed, SPLIT_STREAM)
    for i in range(count - 1, 0, -1):
        j = generator.below(i + 1)
        order[i], order[j] = order[j], order[i]
    return order


@dataclass
class Split:
    train: list[int]
    validation: list[int]
    test: list[int]


def rounded(x: float) -> int:
    """Half away from zero, as Swift's `rounded()`; Python's `round` goes to even."""
    return int(x + 0.5)


def split(count: int, seed: int, validation: float, test: float = 0) -> Split:
    """The last part of the shuffled order tests; of the rest, the last part validates and the others train.

    validation: a fraction of what is left after the test samples.
    """
    order = shuffled(count, seed)
    rest = count - rounded(count * test)
    trained = rest - rounded(rest * validation)
    return Split(train=order[:trained], validation=order[trained:rest], test=order[rest:])


def folds(count: int, seed: int, parts: int) -> list[tuple[list[int], list[int]]]:
    """`parts` pairs (train, test), the tests being equal stretches of the shuffled order."""
    order = shuffled(count, seed)
    bounds = [k * count // parts for k in range(parts + 1)]
    return [(order[:start] + order[end:], order[start:end]) for start, end in zip(bounds, bounds[1:])]
