"""Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) from IDX files, plain or gzip."""

import gzip

import torch

from common import fit, evaluate
from split import split


def idx(directory, name):
    """Bytes after the header (4 bytes of magic, 4 per dimension), in their shape."""
    path = directory / f"{name}.gz"
    with gzip.open(path) if path.exists() else open(directory / name, "rb") as file:
        data = bytearray(file.read())
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "big") for k in range(dimensions)]
    return torch.frombuffer(data, dtype=torch.uint8, offset=4 + 4 * dimensions).view(shape)


class Fashion:
    """54,000 images to train, 6,000 to validate, 10,000 to test: pairs (images [N, 1, 28, 28], labels [N]).

    Standardised by mean and deviation of all pixels of the training images.
    """

    def __init__(self, directory, seed):
        images = idx(directory, "train-images-idx3-ubyte").float()[:, None]
        labels = idx(directory, "train-labels-idx1-ubyte").long()
        tests = idx(directory, "t10k-images-idx3-ubyte").float()[:, None]
        parts = split(len(labels), seed, validation=0.1)
        mean, deviation = images[parts.train].mean(), images[parts.train].std()
        images, tests = (images - mean) / deviation, (tests - mean) / deviation
        self.train = images[parts.train], labels[parts.train]
        self.validation = images[parts.validation], labels[parts.validation]
        self.test = tests, idx(directory, "t10k-labels-idx1-ubyte").long()
        self.black, self.white = -mean / deviation, (255 - mean) / deviation


def augmented(images, black, shift=2):
    """Each mirrored with probability 1/2 and shifted by up to `shift` pixels, black coming in at the edge."""
    n, _, height, width = images.shape
    mirror = torch.rand(n) < 0.5
    images = torch.where(mirror[:, None, None, None], images.flip(-1), images)
    wide = torch.nn.functional.pad(images, (shift,) * 4, value=float(black))
    down, right = torch.randint(0, 2 * shift + 1, (2, n))
    rows = down[:, None, None] + torch.arange(height)[None, :, None]
    columns = right[:, None, None] + torch.arange(width)[None, None, :]
    return wide[torch.arange(n)[:, None, None], 0, rows, columns][:, None]


def train_classifier(model, data, optimizer, epochs, batch, augment=False):
    """Cosine decay of the learning rate to 0; returns the values on the test images."""
    images, labels = data.train
    loss = torch.nn.functional.cross_entropy
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(labels) // batch))

    def loss_of(indices):
        chosen = augmented(images[indices], data.black) if augment else images[indices]
        return loss(model(chosen), labels[indices])

    fit(model, optimizer, loss_of, samples=len(labels), batch=batch, epochs=epochs, schedule=schedule,
        validate=lambda: evaluate(model, *data.validation, loss))
    return evaluate(model, *data.test, loss)
