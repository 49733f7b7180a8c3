"""Writes Tests/LearningTests/Golden/convolution.json: convolutions and batch normalisation as PyTorch computes them.

Everything is channels last here and in the file, kernels [kernel..., channels / groups, filters], as in Keras.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(3)
arrays = {}


def put(name, tensor):
    tensor = tensor.detach()
    values = [float(f"{v:.7g}") for v in tensor.flatten().tolist()]
    arrays[name] = {"shape": list(tensor.shape), "values": values}


def last(tensor):
    """Channels from the second axis to the last."""
    return tensor.movedim(1, -1)


def kernel_last(tensor):
    """[filters, channels, kernel...] to [kernel..., channels, filters]."""
    return tensor.movedim(0, -1).movedim(0, -2)


def convolution(name, x, w, b, f):
    for t in (x, w, b):
        t.requires_grad_()
    y = f(x, w, b)
    dy = torch.randn_like(y)
    y.backward(dy)
    for key, value in (("x", last(x)), ("y", last(y)), ("dy", last(dy)), ("dx", last(x.grad))):
        put(f"{name}.{key}", value)
    for key, value in (("kernel", kernel_last(w)), ("dkernel", kernel_last(w.grad)), ("bias", b), ("dbias", b.grad)):
        put(f"{name}.{key}", value)


# Stride 2 with Keras's "same" on 7 and 6 positions: one zero before and after, and one after alone.
convolution(
    "conv2d-same", torch.randn(2, 3, 7, 6), torch.randn(5, 3, 3, 3) / 4, torch.randn(5),
    lambda x, w, b: F.conv2d(F.pad(x, (0, 1, 1, 1)), w, b, stride=2))
convolution(
    "conv2d-valid", torch.randn(1, 2, 5, 6), torch.randn(3, 2, 2, 3) / 3, torch.randn(3),
    lambda x, w, b: F.conv2d(x, w, b))
# Causal, two steps apart: four zeros before the first step.
convolution(
    "conv1d-causal", torch.randn(2, 3, 9), torch.randn(4, 3, 3) / 3, torch.randn(4),
    lambda x, w, b: F.conv1d(F.pad(x, (4, 0)), w, b, dilation=2))

x = (torch.randn(3, 5, 2, 3) * 2 + 1).requires_grad_()
n = 3 * 2 * 3
norm = torch.nn.BatchNorm2d(5, eps=1e-3, momentum=0.1)
torch.nn.init.normal_(norm.weight, 1, 0.3)
torch.nn.init.normal_(norm.bias)
y = norm(x)
dy = torch.randn_like(y)
y.backward(dy)
for key, value in (("x", last(x)), ("y", last(y)), ("dy", last(dy)), ("dx", last(x.grad))):
    put(f"batch-norm.{key}", value)
put("batch-norm.gamma", norm.weight)
put("batch-norm.beta", norm.bias)
put("batch-norm.dgamma", norm.weight.grad)
put("batch-norm.dbeta", norm.bias.grad)
put("batch-norm.mean", norm.running_mean)
# PyTorch keeps the sample's variance, Keras the population's.
put("batch-norm.variance", 0.9 + (norm.running_var - 0.9) * (n - 1) / n)
norm.eval()
put("batch-norm.evaluated", last(F.batch_norm(
    x, torch.tensor(arrays["batch-norm.mean"]["values"]), torch.tensor(arrays["batch-norm.variance"]["values"]),
    norm.weight, norm.bias, False, 0, 1e-3)))

path = pathlib.Path(__file__).parents[2] / "Tests/LearningTests/Golden/convolution.json"
path.write_text(json.dumps(arrays) + "\n")
