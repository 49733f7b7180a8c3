"""What PyTorch computes for attention and layer normalisation, forward and backward, for Tests/LearningTests/Golden.

Run: /tmp/peers/venv/bin/python Benchmarks/golden/attention.py > Tests/LearningTests/Golden/attention.json
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(7)
arrays = {}


def put(name, tensor):
    arrays[name] = {
        "shape": list(tensor.shape),
        "values": [float(f"{v:.7g}") for v in tensor.detach().reshape(-1).tolist()],
    }


def parameters(prefix, shapes):
    result = {}
    for name, shape in shapes.items():
        result[name] = (torch.randn(*shape) * 0.5).requires_grad_()
        put(f"{prefix}.{name}", result[name])
    return result


def projections(d, e, width):
    return {
        "attention.query-kernel": (d, width),
        "attention.query-bias": (width,),
        "attention.key-kernel": (e, width),
        "attention.key-bias": (width,),
        "attention.value-kernel": (e, width),
        "attention.value-bias": (width,),
        "attention.output-kernel": (width, d),
        "attention.output-bias": (d,),
    }


def attend(p, x, z, heads, mask=None, causal=False):
    def split(t):
        return t.reshape(*t.shape[:2], heads, -1).transpose(1, 2)

    q = split(x @ p["attention.query-kernel"] + p["attention.query-bias"])
    k = split(z @ p["attention.key-kernel"] + p["attention.key-bias"])
    v = split(z @ p["attention.value-kernel"] + p["attention.value-bias"])
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    y = y.transpose(1, 2).reshape(*x.shape[:2], -1)
    return y @ p["attention.output-kernel"] + p["attention.output-bias"]


def finish(prefix, p, y):
    targets = torch.randint(0, y.shape[-1], y.shape[:-1])
    loss = F.cross_entropy(y.reshape(-1, y.shape[-1]), targets.reshape(-1))
    loss.backward()
    put(f"{prefix}.targets", targets.float())
    put(f"{prefix}.output", y)
    put(f"{prefix}.loss", loss)
    for name, value in p.items():
        put(f"{prefix}.gradient.{name}", value.grad)


# Causal self-attention: 2 samples, 7 steps, d 5, 2 heads of 3.
x = torch.randn(2, 7, 5, requires_grad=True)
p = parameters("self", projections(5, 5, 6))
put("self.x", x)
finish("self", {**p, "x": x}, attend(p, x, x, heads=2, causal=True))

# Cross-attention to padded tokens: T 3, S 5, d 4, e 6, 2 heads of 3.
tokens = torch.tensor([[3, 1, 6, 0, 0], [0, 2, 4, 5, 0]])
x = torch.randn(2, 3, 4, requires_grad=True)
p = parameters("cross", {"embedding.embeddings": (7, 6), **projections(4, 6, 6)})
put("cross.x", x)
put("cross.tokens", tokens.float())
z = p["embedding.embeddings"][tokens]
finish("cross", {**p, "x": x}, attend(p, x, z, heads=2, mask=(tokens != 0)[:, None, None, :]))

# Layer normalisation of 2 x 3 vectors of 11.
x = torch.randn(2, 3, 11, requires_grad=True)
p = parameters("norm", {"norm.gamma": (11,), "norm.beta": (11,)})
put("norm.x", x)
finish("norm", {**p, "x": x}, F.layer_norm(x, (11,), p["norm.gamma"], p["norm.beta"], eps=1e-3))

print("{")
print(",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in arrays.items()))
print("}")
