#!/usr/bin/env python3
"""Breast cancer Wisconsin (diagnostic) in scikit-learn: mean accuracy of 5 folds of a logistic regression or a tree."""

import csv

from common import Report, arguments, log
from split import folds

MODELS = {"logistic": "logistic regression", "tree": "decision tree"}


def load(path):
    """30 numeric columns and 1 for malignant."""
    with open(path / "breast-cancer-wisconsin.csv") as file:
        rows = list(csv.reader(file))[1:]
    return [[float(x) for x in row[:-1]] for row in rows], [int(row[-1] == "malignant") for row in rows]


def model_of(kind, seed):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    if kind == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))
    return DecisionTreeClassifier(criterion="gini", max_depth=5, min_samples_leaf=5, random_state=seed)


def main():
    options = arguments(__doc__, model=list(MODELS))
    report = Report(f"medical-{options.model}", MODELS[options.model], options.seed)
    rows, labels = load(options.data)
    scores = []
    for train, test in folds(len(rows), options.seed, 5):
        model = model_of(options.model, options.seed)
        model.fit([rows[i] for i in train], [labels[i] for i in train])
        scores.append(model.score([rows[i] for i in test], [labels[i] for i in test]))
        log(f"fold {len(scores)}/5: accuracy {scores[-1]:.4f}")
    report.print("accuracy", sum(scores) / len(scores), folds=[round(s, 4) for s in scores])


if __name__ == "__main__":
    main()
