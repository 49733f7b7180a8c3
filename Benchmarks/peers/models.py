"""The models in PyTorch, once for speed and accuracy both. Shapes as PyTorch has them: channels before positions."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class SentimentLSTM(nn.Module):
    """Embedding(10000, 32) -> LSTM(64, sequences) -> LSTM(64) -> Dense(1); tokens [N, T] -> logits [N].

    Starts as Keras does: uniform embedding, Glorot kernels, orthogonal recurrent kernels, forget-gate bias 1.
    """

    def __init__(self, vocabulary=10_000, width=32, units=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.first = nn.LSTM(width, units, batch_first=True)
        self.second = nn.LSTM(units, units, batch_first=True)
        self.dense = nn.Linear(units, 1)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        nn.init.xavier_uniform_(self.dense.weight)
        nn.init.zeros_(self.dense.bias)
        for layer in (self.first, self.second):
            nn.init.xavier_uniform_(layer.weight_ih_l0)
            nn.init.orthogonal_(layer.weight_hh_l0)
            nn.init.zeros_(layer.bias_ih_l0)
            nn.init.zeros_(layer.bias_hh_l0)
            layer.bias_ih_l0.data[units : 2 * units] = 1

    def forward(self, tokens):
        sequence, _ = self.first(self.embedding(tokens))
        _, (last, _) = self.second(sequence)
        return self.dense(last[-1]).squeeze(-1)


class RecurrentClassifier(nn.Module):
    """The sentiment model with one layer of another kind: `nn.RNN` or `nn.GRU`."""

    def __init__(self, kind, vocabulary=10_000, width=32, units=64):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.recurrent = kind(width, units, batch_first=True)
        self.dense = nn.Linear(units, 1)

    def forward(self, tokens):
        _, last = self.recurrent(self.embedding(tokens))
        return self.dense(last[-1]).squeeze(-1)


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def cnn():
    """Keras's MNIST example, for the speed rows: [N, 1, 28, 28] -> [N, 10]."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10),
    )


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        h = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(h)) + self.shortcut(x))


def resnet(blocks, channels=3):
    """ResNet-(6 blocks + 2) of He et al. 2016, section 4.2, with projecting shortcuts."""
    layers = [nn.Conv2d(channels, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range(blocks):
            layers.append(ResidualBlock(inputs, outputs, 2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class DecoderBlock(nn.Module):
    """Pre-norm: x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        n, t, d = x.shape
        split = self.qkv(self.attention_norm(x)).view(n, t, 3, self.heads, d // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, t, d)
        x = x + self.dropout(self.output(mixed))
        return x + self.dropout(self.narrow(F.gelu(self.widen(self.feed_norm(x)), approximate="tanh")))


class GPT(nn.Module):
    """Decoder-only transformer with learned positions; tokens [N, T] -> logits [N, T, vocabulary]."""

    def __init__(self, vocabulary=10_000, width=256, heads=4, blocks=4, length=128, dropout=0.0, tied=False):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(DecoderBlock(width, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.tokens.weight
            nn.init.normal_(self.tokens.weight, 0, 0.02)
            nn.init.normal_(self.positions.weight, 0, 0.02)
            for module in self.blocks.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, 0, 0.02)
                    nn.init.zeros_(module.bias)

    def forward(self, tokens):
        x = self.dropout(self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1])))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class EncoderDecoder(nn.Module):
    """For the speed row: learned positions, untied head, no padding; [N, 32] twice -> [N, 32, vocabulary]."""

    def __init__(self, vocabulary=8_000, width=256, length=32):
        super().__init__()
        self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(64, width)
        self.transformer = nn.Transformer(width, 4, 2, 2, 1024, 0.0, batch_first=True)
        self.head = nn.Linear(width, vocabulary)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, source, target):
        p = self.positions(torch.arange(source.shape[1]))
        return self.head(self.transformer(self.source(source) + p, self.target(target) + p, tgt_mask=self.mask,
                                          tgt_is_causal=True))


class Translator(nn.Module):
    """Vaswani et al. 2017 with the target embedding tied to the head; token 0 is padding."""

    def __init__(self, sources, targets, width=256, heads=4, layers=2, inner=512, dropout=0.1, length=100):
        super().__init__()
        self.scale = math.sqrt(width)
        self.source, self.target = nn.Embedding(sources, width), nn.Embedding(targets, width)
        for table in (self.source, self.target):
            nn.init.normal_(table.weight, 0, width**-0.5)
        self.transformer = nn.Transformer(width, heads, layers, layers, inner, dropout, batch_first=True)
        self.head = nn.Linear(width, targets)
        self.head.weight = self.target.weight
        self.register_buffer("positions", sinusoids(length, width))

    def embed(self, table, tokens):
        return table(tokens) * self.scale + self.positions[: tokens.size(1)]

    def encode(self, source):
        return self.transformer.encoder(self.embed(self.source, source), src_key_padding_mask=source == 0)

    def decode(self, target, memory, source):
        mask = torch.ones(target.size(1), target.size(1), dtype=torch.bool).triu(1)
        h = self.transformer.decoder(self.embed(self.target, target), memory, tgt_mask=mask, tgt_is_causal=True,
                                     tgt_key_padding_mask=target == 0, memory_key_padding_mask=source == 0)
        return self.head(h)

    def forward(self, source, target):
        return self.decode(target, self.encode(source), source)


def sinusoids(length, width):
    """Positions of Vaswani et al. 2017, sine and cosine interleaved: [length, width]."""
    table = torch.zeros(length, width)
    position = torch.arange(length)[:, None]
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(1e4) / width))
    table[:, 0::2], table[:, 1::2] = torch.sin(position * rate), torch.cos(position * rate)
    return table


class GatedStack(nn.Module):
    """WaveNet's body (van den Oord et al. 2016): dilated causal convolutions of kernel 2, tanh times sigmoid, a
    residual and a skip path; the sum of the skips. [N, C, T] -> [N, C, T]."""

    def __init__(self, channels, blocks):
        super().__init__()
        self.filters = nn.ModuleList(nn.Conv1d(channels, 2 * channels, 2, dilation=2**k) for k in range(blocks))
        self.mixes = nn.ModuleList(nn.Conv1d(channels, 2 * channels, 1) for _ in range(blocks))

    def forward(self, x):
        skips = 0
        for k, (filters, mix) in enumerate(zip(self.filters, self.mixes)):
            value, gate = filters(F.pad(x, (2**k, 0))).chunk(2, 1)
            residual, skip = mix(torch.tanh(value) * torch.sigmoid(gate)).chunk(2, 1)
            x, skips = x + residual, skips + skip
        return skips


class WaveNet(nn.Module):
    """For the speed row: a 256-way output per sample. [N, 1, T] -> [N, 256, T]."""

    def __init__(self, channels=32, blocks=10):
        super().__init__()
        self.input = nn.Conv1d(1, channels, 1)
        self.body = GatedStack(channels, blocks)
        self.hidden, self.output = nn.Conv1d(channels, channels, 1), nn.Conv1d(channels, 256, 1)

    def forward(self, x):
        return self.output(F.relu(self.hidden(F.relu(self.body(self.input(x))))))


class WaveNetClassifier(nn.Module):
    """Raw audio to a word. [N, 1, T] -> [N, classes].

    The front is a bank of learnt filters; the largest of 8 neighbours makes it forget the phase of the wave. Then
    WaveNet's body, and the mean over time.
    """

    def __init__(self, classes=10, channels=32, blocks=6, kernel=64, stride=4, pool=8):
        super().__init__()
        self.front, self.norm, self.pool = nn.Conv1d(1, channels, kernel, stride), nn.BatchNorm1d(channels), pool
        self.body = GatedStack(channels, blocks)
        self.hidden = nn.Conv1d(channels, channels, 1)
        self.dropout = nn.Dropout(0.3)
        self.dense = nn.Linear(channels, classes)

    def forward(self, x):
        h = F.max_pool1d(F.relu(self.norm(self.front(x))), self.pool)
        h = F.relu(self.hidden(F.relu(self.body(h))))
        return self.dense(self.dropout(h.mean(-1)))


class CausalStack(nn.Module):
    """Dilated causal convolutions with ReLU: [N, 1, T] -> [N, 1, T]."""

    def __init__(self, channels=32, blocks=10):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(channels if k else 1, channels, 2, dilation=2**k) for k in range(blocks))
        self.output = nn.Conv1d(channels, 1, 1)

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            x = F.relu(layer(F.pad(x, (2**k, 0))))
        return self.output(x)
