#!/usr/bin/env python3
"""A model directory of mltrain computed by PyTorch: reads model.toml and weights.safetensors by their documented names
and layouts, and prints the outputs for a JSON file of samples.

Arrays are row-major, features last: Dense [in, out]; convolutions [kernel..., in, out]; LSTM's gates i, f, g, o;
GRU's z, r, h with a bias for the input and one for the state; bidirectional layers twice, under forward and backward.
"""

import argparse
import json
import tomllib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "leaky-relu": lambda x: F.leaky_relu(x, 0.2),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "swish": F.silu,
    "softmax": lambda x: F.softmax(x, -1),
}


class Layer:
    """One layer of model.toml with its weights, by their names without the layer's."""

    def __init__(self, table, weights):
        self.table, self.weights = table, weights

    def option(self, name, default=None):
        return self.table.get(name, default)

    def weight(self, name):
        return self.weights[f"{self.table['name']}.{name}"]

    def bias(self, name="bias"):
        return self.weights.get(f"{self.table['name']}.{name}")

    def activate(self, x):
        return ACTIVATIONS[self.option("activation", "linear")](x)


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def dense(layer, x):
    return layer.activate(F.linear(x, layer.weight("kernel").T, layer.bias()))


def convolution(layer, x, dimensions):
    kernel = layer.weight("kernel").permute(dimensions + 1, dimensions, *range(dimensions))
    size, strides, dilation = kernel.shape[2:], layer.option("strides", 1), layer.option("dilation-rate", 1)
    if dimensions == 2:
        strides, dilation = pair(strides), pair(dilation)
    x = x.movedim(-1, 1)
    padding = 0
    match layer.option("padding", "valid"):
        case "causal":
            x = F.pad(x, ((size[0] - 1) * dilation, 0))
        case "same":
            # PyTorch's "same" is Keras's as long as the stride is 1.
            padding = "same"
    apply = F.conv1d if dimensions == 1 else F.conv2d
    y = apply(x, kernel, layer.bias(), strides, padding, dilation, layer.option("groups", 1))
    return layer.activate(y.movedim(1, -1))


def max_pooling(layer, x, apply):
    size = layer.option("pool-size", 2)
    return apply(x.movedim(-1, 1), size, layer.option("strides", size)).movedim(1, -1)


def batch_normalization(layer, x):
    y = F.batch_norm(x.movedim(-1, 1), layer.weight("moving-mean"), layer.weight("moving-variance"),
                     layer.weight("gamma"), layer.weight("beta"), eps=layer.option("epsilon", 1e-3))
    return layer.activate(y.movedim(1, -1))


def layer_normalization(layer, x):
    return F.layer_norm(x, x.shape[-1:], layer.weight("gamma"), layer.weight("beta"), layer.option("epsilon", 1e-3))


def embedding(layer, x):
    return F.embedding(x.long(), layer.weight("embeddings")) * layer.option("scale", 1)


def position_embedding(layer, x):
    return x + layer.weight("embeddings")[: x.shape[-2]]


def gates(array, order, units):
    """Columns [.., gates x units] as PyTorch's rows, the gates in another order."""
    return torch.cat([array[..., k * units : (k + 1) * units] for k in order], -1)


def recurrent(layer, x, kind, order):
    units, both = layer.option("units"), layer.option("bidirectional", False)
    module = kind(x.shape[-1], units, batch_first=True, bidirectional=both)
    state = {}
    for prefix, suffix in [("forward.", ""), ("backward.", "_reverse")] if both else [("", "")]:
        biases = layer.weight(f"{prefix}bias")
        if biases.dim() == 1:
            biases = torch.stack([biases, torch.zeros_like(biases)])
        state |= {
            f"weight_ih_l0{suffix}": gates(layer.weight(f"{prefix}kernel"), order, units).T.contiguous(),
            f"weight_hh_l0{suffix}": gates(layer.weight(f"{prefix}recurrent-kernel"), order, units).T.contiguous(),
            f"bias_ih_l0{suffix}": gates(biases[0], order, units),
            f"bias_hh_l0{suffix}": gates(biases[1], order, units),
        }
    module.load_state_dict(state)
    sequence, _ = module(x)
    if layer.option("return-sequences", False):
        return sequence
    # What went backward is done at the first step.
    return torch.cat([sequence[:, -1, :units], sequence[:, 0, units:]], -1) if both else sequence[:, -1]


def attention(layer, x, source=None):
    heads = layer.option("num-heads")

    def projected(name, y):
        z = F.linear(y, layer.weight(f"{name}-kernel").T, layer.bias(f"{name}-bias"))
        return z.unflatten(-1, (heads, -1)).transpose(1, 2)

    source = x if source is None else source
    mixed = F.scaled_dot_product_attention(projected("query", x), projected("key", source), projected("value", source),
                                           is_causal=layer.option("causal", False))
    return F.linear(mixed.transpose(1, 2).flatten(2), layer.weight("output-kernel").T, layer.bias("output-bias"))


LAYERS = {
    "dense": dense,
    "conv-1d": lambda layer, x: convolution(layer, x, 1),
    "conv-2d": lambda layer, x: convolution(layer, x, 2),
    "max-pooling-1d": lambda layer, x: max_pooling(layer, x, F.max_pool1d),
    "max-pooling-2d": lambda layer, x: max_pooling(layer, x, F.max_pool2d),
    "global-average-pooling-1d": lambda layer, x: x.mean(1),
    "global-average-pooling-2d": lambda layer, x: x.mean((1, 2)),
    "batch-normalization": batch_normalization,
    "layer-normalization": layer_normalization,
    "embedding": embedding,
    "position-embedding": position_embedding,
    "simple-rnn": lambda layer, x: recurrent(layer, x, nn.RNN, [0]),
    "lstm": lambda layer, x: recurrent(layer, x, nn.LSTM, [0, 1, 2, 3]),
    "gru": lambda layer, x: recurrent(layer, x, nn.GRU, [1, 0, 2]),
    "multi-head-attention": attention,
    "add": lambda layer, *inputs: sum(inputs),
    "multiply": lambda layer, *inputs: torch.stack(inputs).prod(0),
    "concatenate": lambda layer, *inputs: torch.cat(inputs, -1),
    "flatten": lambda layer, x: x.flatten(1),
    "reshape": lambda layer, x: x.reshape(len(x), *layer.option("target-shape")),
    "dropout": lambda layer, x: x,
    "relu": lambda layer, x: F.relu(x),
    "activation": lambda layer, x: layer.activate(x),
}


def compute(directory, x):
    """The layers in their order; each takes what `inputs` names, else what the one before gave."""
    weights = load_file(directory / "weights.safetensors")
    model = tomllib.loads((directory / "model.toml").read_text())
    values = {"input": x}
    for table in model["model"]["layer"]:
        inputs = [values[name] for name in table["inputs"]] if "inputs" in table else [x]
        x = values[table["name"]] = LAYERS[table["type"]](Layer(table, weights), *inputs)
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("samples", type=Path, help="JSON: an array of samples as the model's first layer gets them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        outputs = compute(options.directory, torch.tensor(json.loads(options.samples.read_text())))
    print(json.dumps(outputs.flatten(1).tolist()))


if __name__ == "__main__":
    main()
