#!/usr/bin/env python3
"""One training workload in Keras on TensorFlow: `model.fit` over synthetic batches, a burst of steps per line of
input."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

from bursts import Clock, arguments, serve

RANDOM = np.random.default_rng(0)


def normal(*shape):
    return RANDOM.standard_normal(shape, dtype="float32")


def integers(bound, *shape):
    return RANDOM.integers(0, bound, shape).astype("int32")


def categorical():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def sentences(length, *recurrent):
    model = keras.Sequential([L.Embedding(10_000, 32), *recurrent, L.Dense(1, activation="sigmoid")])

    def samples(n):
        return integers(10_000, n, length), integers(2, n, 1).astype("float32")

    return model, 32, samples, "binary_crossentropy"


def lstm(length):
    return sentences(length, L.LSTM(64, return_sequences=True), L.LSTM(64))


def images(model, batch, *shape):
    return model, batch, lambda n: (normal(n, *shape), integers(10, n)), categorical()


def mlp():
    hidden = [L.Dense(512, activation="relu"), L.Dense(512, activation="relu")]
    return images(keras.Sequential([*hidden, L.Dense(10)]), 128, 784)


def cnn():
    convolutions = [L.Conv2D(32, 3, activation="relu"), L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D()]
    head = [L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10)]
    return images(keras.Sequential([*convolutions, *head]), 64, 28, 28, 1)


def resnet(blocks):
    def convolution(x, channels, size, stride):
        return L.BatchNormalization()(L.Conv2D(channels, size, stride, "same", use_bias=False)(x))

    inputs = keras.Input((32, 32, 3))
    x, width = L.ReLU()(convolution(inputs, 16, 3, 1)), 16
    for stage, channels in enumerate((16, 32, 64)):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            h = convolution(L.ReLU()(convolution(x, channels, 3, stride)), channels, 3, 1)
            same = stride == 1 and width == channels
            x = L.ReLU()(h + (x if same else convolution(x, channels, 1, stride)))
            width = channels
    return images(keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(x))), 64, 32, 32, 3)


def gpt(words=10_000, width=256, heads=4, blocks=4, length=128):
    """Without the positions the PyTorch peer adds: one addition less."""
    inputs = keras.Input((length,), dtype="int32")
    x = L.Embedding(words, width)(inputs)
    for _ in range(blocks):
        h = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(heads, width // heads)(h, h, use_causal_mask=True)
        h = L.LayerNormalization()(x)
        x = x + L.Dense(width)(L.Dense(4 * width, activation="gelu")(h))
    model = keras.Model(inputs, L.Dense(words, use_bias=False)(L.LayerNormalization()(x)))
    return model, 8, lambda n: (integers(words, n, length), integers(words, n, length)), categorical()


def encoder_decoder(words=8_000, width=256, heads=4, length=32):
    def attention(x, y, **more):
        return L.LayerNormalization()(x + L.MultiHeadAttention(heads, width // heads)(x, y, **more))

    def feed_forward(x):
        return L.LayerNormalization()(x + L.Dense(width)(L.Dense(1024, activation="relu")(x)))

    source, target = (keras.Input((length,), dtype="int32") for _ in range(2))
    encoded, decoded = L.Embedding(words, width)(source), L.Embedding(words, width)(target)
    for _ in range(2):
        encoded = feed_forward(attention(encoded, encoded))
    for _ in range(2):
        decoded = attention(decoded, decoded, use_causal_mask=True)
        decoded = feed_forward(attention(decoded, encoded))
    model = keras.Model([source, target], L.Dense(words)(decoded))
    sequences = lambda n: integers(words, n, length)
    return model, 32, lambda n: ((sequences(n), sequences(n)), sequences(n)), categorical()


def wavenet(channels=32, blocks=10):
    inputs = keras.Input((1000, 1))
    x, skips = L.Conv1D(channels, 1)(inputs), 0
    for k in range(blocks):
        h = L.Conv1D(2 * channels, 2, dilation_rate=2**k, padding="causal")(x)
        h = L.Activation("tanh")(h[..., :channels]) * L.Activation("sigmoid")(h[..., channels:])
        h = L.Conv1D(2 * channels, 1)(h)
        x, skips = x + h[..., :channels], skips + h[..., channels:]
    outputs = L.Conv1D(256, 1)(L.Conv1D(channels, 1, activation="relu")(L.ReLU()(skips)))
    return keras.Model(inputs, outputs), 8, lambda n: (normal(n, 1000, 1), integers(256, n, 1000)), categorical()


def conv_1d():
    stack = [L.Conv1D(32, 2, dilation_rate=2**k, padding="causal", activation="relu") for k in range(10)]
    return keras.Sequential([*stack, L.Conv1D(1, 1)]), 8, lambda n: (normal(n, 1000, 1), normal(n, 1000, 1)), "mse"


# Each makes a model, its batch size, n samples with labels, and the loss.
WORKLOADS = {
    "sentiment": lambda: lstm(200),
    "sentiment-80": lambda: lstm(80),
    "simple-rnn": lambda: sentences(80, L.SimpleRNN(64)),
    "gru": lambda: sentences(80, L.GRU(64)),
    "mlp": mlp,
    "cnn": cnn,
    "resnet-8": lambda: resnet(1),
    "resnet-20": lambda: resnet(3),
    "gpt": gpt,
    "encoder-decoder": encoder_decoder,
    "wavenet": wavenet,
    "conv-1d": conv_1d,
}
PREPARED_STEPS = 4
FEWEST_STEPS, MOST_STEPS = 3, 200


class StepClock(keras.callbacks.Callback):
    """The step alone; the rest of `fit` is not held against Keras."""

    def __init__(self):
        super().__init__()
        self.clock = Clock()

    def on_train_batch_begin(self, batch, logs=None):
        self.clock.start()

    def on_train_batch_end(self, batch, logs=None):
        self.clock.stop()


def main():
    options = arguments(__doc__, WORKLOADS)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1 if options.threads == 1 else 2)
    keras.utils.set_random_seed(0)
    model, batch, samples, loss = WORKLOADS[options.workload]()
    model.compile(optimizer="adam", loss=loss)

    def fit(steps, *callbacks):
        inputs, labels = samples(batch * steps)
        return model.fit(inputs, labels, batch_size=batch, verbose=0, callbacks=list(callbacks)).history["loss"][-1]

    # Two rounds: the first traces the graph, the second tells how many steps fill a burst.
    fit(PREPARED_STEPS)
    started = time.perf_counter()
    fit(PREPARED_STEPS)
    each = (time.perf_counter() - started) / PREPARED_STEPS
    steps = max(FEWEST_STEPS, min(MOST_STEPS, int(options.seconds / each)))

    def burst():
        timer = StepClock()
        loss = fit(steps, timer)
        return timer.clock, loss

    serve({
        "workload": options.workload, "framework": f"keras {keras.__version__}, tensorflow {tf.__version__}",
        "threads": options.threads, "params": model.count_params(),
    }, burst)


if __name__ == "__main__":
    main()
