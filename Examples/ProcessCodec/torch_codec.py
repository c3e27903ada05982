"""A network of one's own in PyTorch; the argument is a file of torch.save(network.state_dict(), FILE)."""

import sys

import torch
from torch import nn

from csilink_codec import serve


class Autoencoder(nn.Module):
    def __init__(self, image, reals):
        super().__init__()
        planes, angles, taps = image
        size = planes * angles * taps
        self.encoder = nn.Sequential(
            nn.Conv2d(planes, 4, (3, 5), padding=(1, 2)), nn.GELU(),
            nn.Conv2d(4, planes, 3, padding=1), nn.Flatten(), nn.Linear(size, reals))
        self.decoder = nn.Sequential(
            nn.Linear(reals, size), nn.Unflatten(1, image),
            nn.Conv2d(planes, 8, 3, padding=1), nn.GELU(),
            nn.Conv2d(8, planes, 3, padding=1), nn.Sigmoid())


def side(name):
    def make(hello):
        torch.set_num_threads(1)  # csilink starts one process for each of its threads
        network = Autoencoder(hello["image"], hello["codeword"])
        network.load_state_dict(torch.load(sys.argv[1], weights_only=True))
        network.eval()
        half = getattr(network, name)

        def run(batch):
            with torch.inference_mode():
                return half(torch.tensor(batch)).numpy()

        return run

    return make


if __name__ == "__main__":
    serve(side("encoder"), side("decoder"))
