"""Trains a network in PyTorch on the samples that `csilink train` drew, with the same epochs, batches and schedule.

`python torch_train.py csinet -c 4 --data results/twin/data --epochs 30 --curve csinet-4-pytorch.csv`

The samples are the `train-*.npy` and `validation-*.npy` of the folder. The curve has the columns of csilink's learning
curves; the initial weights follow the same distributions, drawn by PyTorch.
"""

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from torch_networks import NETWORKS, CsiNet


def initialise(network):
    """Xavier-uniform weights; biases zero for CsiNet, uniform in 1/sqrt(fan in) for the others."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                if isinstance(network, CsiNet):
                    nn.init.zeros_(module.bias)
                else:
                    fan_in = module.weight[0].numel()
                    nn.init.uniform_(module.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))


# Scales of the batch normalisations that reach the output's sigmoid without a convolution between.
OUTPUT_SCALES = {
    "acrnet-1x": ["conv5x5_bn", "ACRDecoderBlock1.conv3_bn", "ACRDecoderBlock2.conv3_bn"],
}


def scale_output(network, name, gain):
    """Starts the normalisations before the output at `gain` in place of 1."""
    parameters = dict(network.named_parameters())
    for layer in OUTPUT_SCALES.get(name, []):
        with torch.no_grad():
            parameters[f"decoder_feature.{layer}.bn.weight"].mul_(gain)


def load_start(network, name, compression, folder):
    """Takes the parameters of csilink's weights files, such as those after an epoch at learning rate 0."""
    from safetensors.torch import load_file

    tensors = {}
    for side in ("encoder", "decoder"):
        tensors |= load_file(str(Path(folder) / f"{name}-{compression}-{side}.safetensors"))
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"{folder}: missing {missing}, unexpected {unexpected}")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()


def rate(step, arguments, per_epoch):
    """Linear warm-up from 0, then half a cosine; step counts completed updates."""
    warm_up, total = arguments.warm_up * per_epoch, arguments.epochs * per_epoch
    if step < warm_up:
        return arguments.learning_rate * step / warm_up
    progress = (step - warm_up) / (total - warm_up)
    span = arguments.learning_rate - arguments.minimum
    return arguments.minimum + span * (1 + math.cos(math.pi * progress)) / 2


def samples(folder, name):
    files = sorted(Path(folder).glob(f"{name}-*.npy"))
    if len(files) != 1:
        sys.exit(f"{folder}: expected one {name}-*.npy, found {len(files)}")
    return torch.from_numpy(np.load(files[0]))


@torch.no_grad()
def validate(network, data):
    """Mean of ratios of the error to the energy around 0.5, and the mean squared error."""
    network.eval()
    ratios, squares = [], 0.0
    for batch in data.split(200):
        error = (network(batch) - batch).double().flatten(1).square().sum(1)
        ratios.append(error / (batch.double() - 0.5).flatten(1).square().sum(1))
        squares += error.sum().item()
    network.train()
    return torch.cat(ratios).mean().item(), squares / data.numel()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument("-c", "--compression", type=int, default=4)
    parser.add_argument("--data", required=True)
    parser.add_argument("--curve", required=True)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--minimum", type=float, default=5e-5)
    parser.add_argument("--warm-up", type=int, default=2, help="epochs")
    parser.add_argument("--output-gain", type=float, default=1.0)
    parser.add_argument("--start", help="folder with weights of csilink to start from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    train, validation = (samples(arguments.data, name) for name in ("train", "validation"))
    network = NETWORKS[arguments.network](arguments.compression)
    initialise(network)
    scale_output(network, arguments.network, arguments.output_gain)
    if arguments.start:
        load_start(network, arguments.network, arguments.compression, arguments.start)
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=arguments.learning_rate, fused=True)
    per_epoch = math.ceil(len(train) / arguments.batch)
    lines = [
        "# csilink learning curve 1",
        "epoch,steps,learning_rate,training_loss,validation_loss,validation_nmse_db,is_best",
    ]
    best, step = math.inf, 0
    for epoch in range(1, arguments.epochs + 1):
        start, total = time.time(), 0.0
        for batch in train[torch.randperm(len(train))].split(arguments.batch):
            for group in optimiser.param_groups:
                group["lr"] = rate(step, arguments, per_epoch)
            optimiser.zero_grad(set_to_none=True)
            loss = F.mse_loss(network(batch), batch)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
            step += 1
        seconds = time.time() - start
        nmse, error = validate(network, validation)
        last = rate(step - 1, arguments, per_epoch)
        level = 10 * math.log10(nmse)
        lines.append(
            f"{epoch},{step},{last},{total / len(train)},{error},{level:.4f},{int(nmse < best)}")
        best = min(best, nmse)
        Path(arguments.curve).write_text("\n".join(lines) + "\n")
        print(f"epoch {epoch}: {level:.2f} dB, {len(train) / seconds:.0f} samples/s", flush=True)


if __name__ == "__main__":
    main()
