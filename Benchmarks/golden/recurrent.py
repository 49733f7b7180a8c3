"""Outputs and gradients of recurrent layers, by PyTorch, and by Keras where padding is masked.

Writes Tests/LearningTests/Golden/KIND-CASE.json. Each case is a bidirectional layer with
sequences, a dense layer with softmax over each position, and the mean of the cross-entropies. Kernels are written as Keras
has them: [features][gates units].
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np
import torch

ROWS, STEPS, FEATURES, UNITS, CLASSES = 3, 4, 3, 5, 3
arrays = {}


def put(case, name, array):
    array = np.asarray(array, dtype=np.float32)
    values = [float(f"{x:.7g}") for x in array.ravel()]
    arrays[f"{case}.{name}"] = {"shape": list(array.shape), "values": values}


def keras_order(kind, matrix):
    """PyTorch's [gates units][...], transposed, its gates in Keras's order: GRU r, z, n becomes z, r, h."""
    blocks = np.split(matrix.T, {"lstm": 4, "gru": 3, "simple-rnn": 1}[kind], axis=-1)
    return np.concatenate([blocks[i] for i in ([1, 0, 2] if kind == "gru" else range(len(blocks)))], axis=-1)


def bias(kind, of_input, of_state):
    parts = [keras_order(kind, v) for v in (of_input, of_state)]
    return np.stack(parts) if kind == "gru" else parts[0]


def by_torch(kind):
    case = kind + "-bidirectional"
    torch.manual_seed(len(arrays) + 1)
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple-rnn": torch.nn.RNN}[kind](
        FEATURES, UNITS, batch_first=True, bidirectional=True
    )
    dense = torch.nn.Linear(2 * UNITS, CLASSES)
    with torch.no_grad():
        for name, p in layer.named_parameters():
            p.uniform_(-0.6, 0.6)
            if kind != "gru" and name.startswith("bias_hh"):
                p.zero_()  # one bias suffices where the two only add up
    x = torch.randn(ROWS, STEPS, FEATURES, requires_grad=True)
    target = torch.randint(0, CLASSES, (ROWS, STEPS))
    y, _ = layer(x)
    loss = torch.nn.functional.cross_entropy(dense(y).reshape(-1, CLASSES), target.reshape(-1))
    loss.backward()
    put(case, "input", x.detach())
    put(case, "target", target)
    put(case, "output", y.detach())
    put(case, "loss", loss.detach())
    put(case, "input.gradient", x.grad)
    for suffix, prefix in [("", "forward."), ("_reverse", "backward.")]:
        p = {n: getattr(layer, f"{n}_l0{suffix}") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        for part, get in (("", lambda t: t.detach().numpy()), (".gradient", lambda t: t.grad.numpy())):
            put(case, prefix + "kernel" + part, keras_order(kind, get(p["weight_ih"])))
            put(case, prefix + "recurrent-kernel" + part, keras_order(kind, get(p["weight_hh"])))
            put(case, prefix + "bias" + part, bias(kind, get(p["bias_ih"]), get(p["bias_hh"])))
    for part, get in (("", lambda t: t.detach().numpy()), (".gradient", lambda t: t.grad.numpy())):
        put(case, "dense.kernel" + part, get(dense.weight).T)
        put(case, "dense.bias" + part, get(dense.bias))


def by_keras(kind, bidirectional):
    import tensorflow as tf

    case = kind + ("-bidirectional" if bidirectional else "") + "-masked"
    random = np.random.default_rng(len(arrays))
    layer = {"lstm": tf.keras.layers.LSTM, "gru": tf.keras.layers.GRU, "simple-rnn": tf.keras.layers.SimpleRNN}[kind](
        UNITS, return_sequences=True
    )
    if bidirectional:
        layer = tf.keras.layers.Bidirectional(layer)
    x = tf.Variable(random.normal(size=(ROWS, STEPS, FEATURES)).astype(np.float32))
    # Padding in front, behind, and amidst.
    tokens = np.array([[0, 4, 7, 1], [2, 9, 0, 0], [3, 0, 0, 5]], np.float32)
    mask = tf.constant(tokens != 0)
    layer(x, mask=mask)
    for v in layer.trainable_variables:
        v.assign(random.uniform(-0.6, 0.6, v.shape))
    dense = tf.Variable(random.uniform(-0.5, 0.5, (2 * UNITS if bidirectional else UNITS, CLASSES)).astype(np.float32))
    offset = tf.Variable(random.uniform(-0.5, 0.5, CLASSES).astype(np.float32))
    target = random.integers(0, CLASSES, (ROWS, STEPS))
    with tf.GradientTape() as tape:
        y = layer(x, mask=mask)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target, y @ dense + offset)
        loss = tf.reduce_mean(losses)
    prefixes = ("forward.", "backward.") if bidirectional else ("",)
    names = [p + n for p in prefixes for n in ("kernel", "recurrent-kernel", "bias")]
    names += ["dense.kernel", "dense.bias", "input"]
    variables = layer.trainable_variables + [dense, offset, x]
    put(case, "tokens", tokens)
    put(case, "target", target)
    put(case, "output", y)
    put(case, "loss", loss)
    for name, v, g in zip(names, variables, tape.gradient(loss, variables)):
        put(case, name, v.numpy())
        put(case, name + ".gradient", g.numpy())


if __name__ == "__main__":
    for kind in ("lstm", "gru", "simple-rnn"):
        by_torch(kind)
        by_keras(kind, False)
        by_keras(kind, True)
    path = pathlib.Path(__file__).parents[2] / "Tests/LearningTests/Golden"
    cases = sorted({name.split(".")[0] for name in arrays})
    for case in cases:
        part = {name[len(case) + 1 :]: a for name, a in arrays.items() if name.split(".")[0] == case}
        (path / f"{case}.json").write_text(json.dumps(part, separators=(",", ":")) + "\n")
