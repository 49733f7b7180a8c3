#!/usr/bin/env python3
"""A generative adversarial network (Goodfellow et al. 2014) on Fashion-MNIST in PyTorch: how many of the ten classes a
CNN finds at least ten times among 1,000 samples."""

import torch
import torch.nn.functional as F
from torch import nn

from accuracy_fashion_cnn import network
from common import Report, arguments, batches, log, start_torch
from fashion import Fashion, train_classifier

NOISE, BATCH, SAMPLES = 64, 128, 1_000


def generator():
    """Noise [N, 64] -> pixels in -1...1 [N, 784]."""
    return nn.Sequential(
        nn.Linear(NOISE, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 512), nn.BatchNorm1d(512), nn.ReLU(),
        nn.Linear(512, 784), nn.Tanh())


def discriminator():
    """Pixels [N, 784] -> logit of being real [N]."""
    return nn.Sequential(
        nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(512, 256), nn.LeakyReLU(0.2),
        nn.Dropout(0.3), nn.Linear(256, 1), nn.Flatten(0))


def train(makes, judges, images, epochs):
    """One step of the judge (real images marked 0.9), one of the generator (non-saturating loss), per batch."""
    optimizers = [torch.optim.Adam(m.parameters(), 2e-4, betas=(0.5, 0.999)) for m in (makes, judges)]
    for epoch in range(1, epochs + 1):
        sums = [0.0, 0.0]
        for indices in batches(torch.randperm(len(images)), BATCH):
            real, false = images[indices], makes(torch.randn(len(indices), NOISE))
            ones, zeros = torch.full((len(indices),), 0.9), torch.zeros(len(indices))
            judge_loss = (F.binary_cross_entropy_with_logits(judges(real), ones)
                          + F.binary_cross_entropy_with_logits(judges(false.detach()), zeros))
            optimizers[1].zero_grad(set_to_none=True)
            judge_loss.backward()
            optimizers[1].step()
            make_loss = F.binary_cross_entropy_with_logits(judges(false), torch.ones(len(indices)))
            optimizers[0].zero_grad(set_to_none=True)
            make_loss.backward()
            optimizers[0].step()
            sums = [sums[0] + judge_loss.item() * len(indices), sums[1] + make_loss.item() * len(indices)]
        log(f"epoch {epoch}/{epochs}: discriminator {sums[0] / len(images):.3f}, generator {sums[1] / len(images):.3f}")


def main():
    options = arguments(__doc__)
    start_torch(options.threads, options.seed)
    data = Fashion(options.data, options.seed)
    critic = network()
    judged = train_classifier(critic, data, torch.optim.Adam(critic.parameters(), 1e-3), epochs=3, batch=64)
    log(f"the CNN that judges: {judged}")

    report = Report("fashion-gan", "GAN", options.seed)
    images = (data.train[0] - data.black) / (data.white - data.black) * 2 - 1
    makes, judges, epochs = generator(), discriminator(), options.epochs or 30
    train(makes, judges, images.flatten(1), epochs)
    makes.eval()
    with torch.no_grad():
        samples = makes(torch.randn(SAMPLES, NOISE)).view(-1, 1, 28, 28)
        found = critic((samples + 1) / 2 * (data.white - data.black) + data.black).argmax(-1).bincount(minlength=10)
    report.print("classes", (found >= SAMPLES // 100).sum(), found=found.tolist(), epochs=epochs)


if __name__ == "__main__":
    main()
