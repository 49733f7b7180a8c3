"""Losses of PyTorch and their gradients for Tests/LearningTests/LossGoldenTests.swift.

    /tmp/peers/venv/bin/python Benchmarks/golden/losses.py
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(5)
golden = {}


def put(name, values):
    values = torch.as_tensor(values, dtype=torch.float64)
    golden[name] = {"shape": list(values.shape), "values": [round(float(v), 9) for v in values.ravel()]}


def case(name, loss, rows, targets):
    z = rows.clone().double().requires_grad_()
    value = loss(z, targets)
    value.backward()
    put(f"{name}.loss", [value.item()])
    put(f"{name}.gradient", z.grad)


rows = (torch.randn(5, 17) * 4).float()
classes = torch.randint(0, 17, (5,))
classes[1] = 0
soft = torch.softmax(torch.randn(5, 17), 1).float().double()
hard = torch.randint(0, 2, (5, 17)).double()
values = torch.randn(5, 17).float().double()
put("rows", rows)
put("classes", classes)
put("soft", soft)
put("hard", hard)
put("values", values)
case("sparse", lambda z, t: F.cross_entropy(z, t), rows, classes)
case("smoothed", lambda z, t: F.cross_entropy(z, t, label_smoothing=0.15, ignore_index=0), rows, classes)
case("categorical", lambda z, t: F.cross_entropy(z, t, label_smoothing=0.1), rows, soft)
case("binary", lambda z, t: F.binary_cross_entropy_with_logits(z, t), rows, hard)
case("squared", lambda z, t: F.mse_loss(z, t), rows, values)
case("absolute", lambda z, t: F.l1_loss(z, t), rows, values)
case("huber", lambda z, t: F.huber_loss(z, t, delta=1.5), rows, values)

path = pathlib.Path(__file__).parents[2] / "Tests/LearningTests/Golden/losses.json"
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
