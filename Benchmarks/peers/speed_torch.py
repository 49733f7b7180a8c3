#!/usr/bin/env python3
"""One training workload in PyTorch, eager, denormals flushed: synthetic batch, Adam, a burst of steps per line of
input."""

import time

import torch
import torch.nn.functional as F
from torch import nn

import models
from bursts import Clock, arguments, serve


def binary(outputs, labels):
    return F.binary_cross_entropy_with_logits(outputs, labels)


def classes(outputs, labels):
    """Logits [N, C] or [N, C, T] against [N] or [N, T]."""
    return F.cross_entropy(outputs, labels)


def words(outputs, labels):
    """Logits [N, T, V] against [N, T]."""
    return F.cross_entropy(outputs.flatten(0, 1), labels.flatten())


def sentences(length, model):
    return model, (torch.randint(0, 10_000, (32, length)),), torch.randint(0, 2, (32,)).float(), binary


def images(model, batch, *shape):
    return model, (torch.randn(batch, *shape),), torch.randint(0, 10, (batch,)), classes


def gpt():
    return models.GPT(), (torch.randint(0, 10_000, (8, 128)),), torch.randint(0, 10_000, (8, 128)), words


def encoder_decoder():
    source, target, following = (torch.randint(0, 8_000, (32, 32)) for _ in range(3))
    return models.EncoderDecoder(), (source, target), following, words


def wavenet():
    return models.WaveNet(), (torch.randn(8, 1, 1000),), torch.randint(0, 256, (8, 1000)), classes


def conv_1d():
    return models.CausalStack(), (torch.randn(8, 1, 1000),), torch.randn(8, 1, 1000), F.mse_loss


# Each makes a model, its inputs, the labels and the loss.
WORKLOADS = {
    "sentiment": lambda: sentences(200, models.SentimentLSTM()),
    "sentiment-80": lambda: sentences(80, models.SentimentLSTM()),
    "simple-rnn": lambda: sentences(80, models.RecurrentClassifier(nn.RNN)),
    "gru": lambda: sentences(80, models.RecurrentClassifier(nn.GRU)),
    "mlp": lambda: images(models.mlp(), 128, 784),
    "cnn": lambda: images(models.cnn(), 64, 1, 28, 28),
    "resnet-8": lambda: images(models.resnet(1), 64, 3, 32, 32),
    "resnet-20": lambda: images(models.resnet(3), 64, 3, 32, 32),
    "gpt": gpt,
    "encoder-decoder": encoder_decoder,
    "wavenet": wavenet,
    "conv-1d": conv_1d,
}
WARM_UP = 3


def main():
    options = arguments(__doc__, WORKLOADS)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    model, inputs, labels, loss_of = WORKLOADS[options.workload]()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model(*inputs), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def burst():
        for _ in range(WARM_UP):
            step()
        clock, end = Clock(), time.perf_counter() + options.seconds
        while time.perf_counter() < end or len(clock.wall) < 3:
            clock.start()
            loss = step()
            clock.stop()
        return clock, loss

    serve({
        "workload": options.workload, "framework": f"torch {torch.__version__.split('+')[0]}",
        "threads": options.threads, "params": sum(p.numel() for p in model.parameters()),
    }, burst)


if __name__ == "__main__":
    main()
