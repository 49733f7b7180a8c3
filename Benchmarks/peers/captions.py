"""Multi30k (Elliott et al. 2016, task 1; lower-cased and tokenised): words to numbers, for translation and language."""

from collections import Counter

PADDING, START, END, UNKNOWN = 0, 1, 2, 3
RESERVED = 4


def lines(directory, name):
    with open(directory / name, encoding="utf-8") as file:
        return [line.split() for line in file]


def vocabulary(sentences):
    """Words seen at least twice, the most frequent first, from RESERVED on."""
    counts = Counter(word for sentence in sentences for word in sentence)
    return {word: i + RESERVED for i, (word, n) in enumerate(counts.most_common()) if n >= 2}


def encode(sentence, words):
    return [words.get(word, UNKNOWN) for word in sentence]
