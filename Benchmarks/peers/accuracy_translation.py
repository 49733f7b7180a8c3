#!/usr/bin/env python3
"""English to German (Multi30k task 1) with a transformer in PyTorch: BLEU of greedy translations of
test_2016_flickr."""

import math
import random

import torch
import torch.nn.functional as F

import captions
from captions import END, PADDING, START
from common import Report, arguments, batches, log, start_torch
from models import Translator

# Words; longer sentences are not trained on, and cut when they are to be translated.
LENGTH = 41
LONGEST = 45
BATCH, WIDTH, WARMUP = 64, 256, 600


def padded(rows):
    tensors = [torch.tensor(row) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=PADDING)


def source_of(sentence, words):
    return captions.encode(sentence, words)[:LENGTH] + [END]


def target_of(sentence, words):
    return [START, *captions.encode(sentence, words), END]


def greedy(model, source):
    """The most likely word after another until END: lists of tokens without START and END."""
    with torch.no_grad():
        memory = model.encode(source)
        tokens = torch.full((len(source), 1), START)
        ended = torch.zeros(len(source), dtype=torch.bool)
        for _ in range(LONGEST):
            following = model.decode(tokens, memory, source)[:, -1].argmax(-1)
            following[ended] = PADDING
            ended |= following == END
            tokens = torch.cat([tokens, following[:, None]], 1)
            if ended.all():
                break
    return [[t for t in row[1:] if t not in (END, PADDING)] for row in tokens.tolist()]


def bleu(model, pairs, sources, names):
    """sacrebleu's corpus BLEU on the tokens as they are."""
    import sacrebleu

    model.eval()
    found = []
    for part in batches(pairs, 100):
        for row in greedy(model, padded([source_of(s, sources) for s, _ in part])):
            found.append(" ".join(names.get(token, "<unk>") for token in row))
    return sacrebleu.corpus_bleu(found, [[" ".join(t) for _, t in pairs]], tokenize="none").score


def epoch_batches(pairs):
    """Sentences of about the same length together, the batches in random order."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + random.random() * 3)
    parts = batches(order, BATCH)
    random.shuffle(parts)
    return parts


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    random.seed(options.seed)
    report = Report("translation", "transformer", options.seed)
    train, test = (
        list(zip(captions.lines(options.data, f"{name}.en"), captions.lines(options.data, f"{name}.de")))
        for name in ("train", "test_2016_flickr"))
    train = [pair for pair in train if max(map(len, pair)) <= LENGTH]
    sources, targets = captions.vocabulary(s for s, _ in train), captions.vocabulary(t for _, t in train)
    names = {i: word for word, i in targets.items()}
    pairs = [(source_of(s, sources), target_of(t, targets)) for s, t in train]
    model = Translator(len(sources) + captions.RESERVED, len(targets) + captions.RESERVED, WIDTH)

    epochs = options.epochs or 5
    decay = epochs * -(-len(pairs) // BATCH) - WARMUP
    optimizer = torch.optim.Adam(model.parameters(), (WIDTH * WARMUP) ** -0.5, betas=(0.9, 0.98))
    # Up in a line, down to nothing along a cosine.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda s: (s + 1) / WARMUP if s < WARMUP else (1 + math.cos(math.pi * min((s - WARMUP) / decay, 1))) / 2)
    for epoch in range(1, epochs + 1):
        model.train()
        for indices in epoch_batches(pairs):
            source, target = padded([pairs[i][0] for i in indices]), padded([pairs[i][1] for i in indices])
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten(),
                                   ignore_index=PADDING, label_smoothing=0.1)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
        log(f"epoch {epoch}/{epochs}: last loss {loss.item():.3f}")
    report.print("bleu", bleu(model, test, sources, names), epochs=epochs)


if __name__ == "__main__":
    main()
