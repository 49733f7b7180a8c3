"""mld's split of samples, number for number: SplitMix64 and Fisher-Yates (Sources/Tensors/SplitMix64.swift,
Sources/Datasets/Split.swift), so that both sides of a comparison learn from, and are judged by, the same samples."""

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
    """The last samples of the shuffled order test, those before them validate, the rest train."""
    order = shuffled(count, seed)
    tested = rounded(count * test)
    held = rounded(count * validation)
    return Split(
        train=order[: count - tested - held],
        validation=order[count - tested - held : count - tested],
        test=order[count - tested :],
    )


def folds(count: int, seed: int, parts: int) -> list[tuple[list[int], list[int]]]:
    """`parts` pairs (train, test): sample i of the shuffled order is tested in fold i mod `parts`."""
    order = shuffled(count, seed)
    return [
        ([s for i, s in enumerate(order) if i % parts != k], [s for i, s in enumerate(order) if i % parts == k])
        for k in range(parts)
    ]
