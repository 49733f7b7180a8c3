"""What all peers share: the command line, the start of PyTorch, a training loop, and the line they report."""

import argparse
import copy
import json
import sys
import time
from pathlib import Path


def arguments(description: str, **choices: list[str]) -> argparse.Namespace:
    """`choices`: more options, each with its values."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, help="directory of this data set")
    parser.add_argument("--seed", type=int, default=1, help="of the split, the weights and the order")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="instead of the task's own number")
    for name, values in choices.items():
        parser.add_argument(f"--{name}", choices=values, required=True)
    return parser.parse_args()


def start_torch(threads: int, seed: int) -> None:
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)


def log(*words) -> None:
    print(*words, file=sys.stderr, flush=True)


class Report:
    """Measures the minutes from its making; prints one JSON line."""

    def __init__(self, task: str, model: str, seed: int):
        self.line = {"task": task, "model": model, "seed": seed}
        self.start = time.perf_counter()

    def print(self, metric: str, score: float, **more) -> None:
        self.line |= {"metric": metric, "score": round(float(score), 4)}
        self.line |= {"minutes": round((time.perf_counter() - self.start) / 60, 3)}
        print(json.dumps(self.line | more), flush=True)


class EarlyStopping:
    """Keras's callback on a value to be minimised: remembers the best weights, says when to stop."""

    def __init__(self, model, patience: int):
        self.model, self.patience = model, patience
        self.best, self.waited, self.weights = float("inf"), 0, None

    def should_stop(self, value: float) -> bool:
        if value < self.best:
            self.best, self.waited = value, 0
            self.weights = copy.deepcopy(self.model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience

    def restore_best(self) -> None:
        if self.weights is not None:
            self.model.load_state_dict(self.weights)


def batches(order, size: int):
    """Slices of `order`; the last one may be shorter."""
    return [order[i : i + size] for i in range(0, len(order), size)]


def fit(model, optimizer, loss_of, samples: int, batch: int, epochs: int, validate=None, patience=None, schedule=None,
        clip=None) -> int:
    """Epochs of shuffled batches; returns how many were run.

    loss_of: indices of samples -> the batch's mean loss, a scalar tensor.
    validate: -> dict of values to print, of which "loss" is what early stopping watches.
    schedule: a PyTorch scheduler, stepped after each batch.
    """
    import torch

    stopping = EarlyStopping(model, patience) if patience else None
    epoch = 0
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        model.train()
        total = 0.0
        for indices in batches(torch.randperm(samples), batch):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(indices)
            loss.backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            if schedule:
                schedule.step()
            total += loss.item() * len(indices)
        values = {}
        if validate:
            model.eval()
            with torch.no_grad():
                values = validate()
        shown = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        log(f"epoch {epoch}/{epochs}: train loss {total / samples:.4f}; {shown}; {time.perf_counter() - started:.1f} s")
        if stopping and stopping.should_stop(values["loss"]):
            break
    if stopping:
        stopping.restore_best()
    model.eval()
    return epoch


def evaluate(model, inputs, labels, loss, size: int = 500) -> dict[str, float]:
    """Mean loss and accuracy over all samples. A model with one output is a binary one: above 0 is class 1."""
    import torch

    correct, total = 0, 0.0
    with torch.no_grad():
        for indices in batches(torch.arange(len(labels)), size):
            outputs, wanted = model(inputs[indices]), labels[indices]
            found = outputs > 0 if outputs.dim() == 1 else outputs.argmax(-1)
            correct += (found == wanted).sum().item()
            total += loss(outputs, wanted).item() * len(indices)
    return {"loss": total / len(labels), "accuracy": correct / len(labels)}
