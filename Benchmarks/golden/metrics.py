"""Values of scikit-learn and sacrebleu for Tests/LearningTests/MetricTests.swift.

    /tmp/peers/venv/bin/python Benchmarks/golden/metrics.py
"""
import json
import pathlib

import numpy as np
import sacrebleu
from sklearn import metrics

random = np.random.default_rng(7)
golden = {}


def put(name, values):
    values = np.asarray(values, dtype=np.float64)
    golden[name] = {"shape": list(values.shape), "values": [round(float(v), 9) for v in values.ravel()]}


# Five classes; class 4 is never predicted and class 3 rarely there.
targets = random.choice(5, 101, p=[0.4, 0.3, 0.2, 0.04, 0.06])
predictions = np.where(random.random(101) < 0.6, targets, random.choice(4, 101))
put("targets", targets)
put("predictions", predictions)
put("accuracy", [metrics.accuracy_score(targets, predictions)])
put("confusion", metrics.confusion_matrix(targets, predictions, labels=range(5)))
each = metrics.precision_recall_fscore_support(targets, predictions, labels=range(5), zero_division=0)
put("precision", each[0])
put("recall", each[1])
put("f1", each[2])
macro = metrics.precision_recall_fscore_support(targets, predictions, average="macro", zero_division=0)
put("macro", macro[:3])

# Two classes, scores with many ties.
binary = (random.random(83) < 0.4).astype(int)
scores = np.round(random.random(83) * 0.7 + binary * 0.3, 1).astype(np.float32)
put("binary", binary)
put("scores", scores)
put("auc", [metrics.roc_auc_score(binary, scores)])
put("binary-prf", metrics.precision_recall_fscore_support(binary, scores > 0.5, average="binary")[:3])

values = random.normal(size=37).astype(np.float32).round(4)
guesses = (values + random.normal(size=37) * 0.5).astype(np.float32).round(4)
put("values", values)
put("guesses", guesses)
put("rmse", [metrics.root_mean_squared_error(values.astype(float), guesses.astype(float))])
put("mae", [metrics.mean_absolute_error(values.astype(float), guesses.astype(float))])
put("r2", [metrics.r2_score(values.astype(float), guesses.astype(float))])


def bleu(name, translations, references):
    def text(sentences):
        return [" ".join(f"w{token}" for token in sentence) for sentence in sentences]

    score = sacrebleu.corpus_bleu(text(translations), [text(references)], tokenize="none", force=True)
    for kind, sentences in (("translations", translations), ("references", references)):
        put(f"{name}.{kind}", [token for sentence in sentences for token in sentence])
        put(f"{name}.{kind}.lengths", [len(sentence) for sentence in sentences])
    put(f"{name}.score", [score.score])
    put(f"{name}.precisions", score.precisions)
    put(f"{name}.penalty", [score.bp])


references = [list(random.choice(12, random.integers(5, 15))) for _ in range(9)]
close = [[t if random.random() < 0.85 else random.choice(12) for t in s[: len(s) - random.integers(0, 3)]] for s in references]
bleu("close", close, references)
# Longer than the references, and words repeated.
bleu("long", [s + s[:4] + [1, 1, 1] for s in close], references)
# No 3-grams and 4-grams in common: smoothed.
bleu("smoothed", [[1, 2, 9, 4, 5, 8, 7], [3, 3, 6, 6]], [[1, 2, 3, 4, 5, 6, 7], [6, 3, 3, 1, 0]])
# Too short for 4-grams.
bleu("short", [[1, 2, 3]], [[1, 2, 3]])
bleu("none", [[1, 2, 3, 4]], [[5, 6, 7, 8, 9]])

path = pathlib.Path(__file__).parents[2] / "Tests/LearningTests/Golden/metrics.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
