"""Writes dcrnet1x_cr64_train and lrp_cr64_train: `python vectors.py` in this folder, with PyTorch and safetensors.

The modules are those of Benchmarks/peers/torch_dcrnet.py, which shares no code with csilink; they are evaluated in float64
from float32 parameters. Nothing is trained. Seeds are such that no value lies so near to the kink of an activation that
float32 falls on its other side: gradients in float32 agree to 2e-5 of the largest.
"""

import copy
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "Benchmarks" / "peers"))
from torch_dcrnet import DCRNet, LowRankPrior  # noqa: E402

BATCH = 6


def draw(network):
    """Parameters and statistics that are not the initial ones, rounded to float32."""
    for key, value in network.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        noise = torch.randn(value.shape)
        if key.endswith("running_var"):
            value.copy_(0.5 + noise.square())
        elif key.endswith("running_mean"):
            value.copy_(0.2 * noise)
        elif "bn.weight" in key:
            value.copy_(1 + 0.2 * noise)
        elif value.dim() == 1 and key.endswith("weight"):
            value.copy_(0.3 + 0.2 * noise)
        elif value.dim() == 1 and key.endswith("scale"):
            value.copy_(1 + 0.2 * noise)
        elif value.dim() == 1:
            value.copy_(0.1 * noise)
        else:
            value.copy_(noise / value[0].numel() ** 0.5)


def gradients(network, x):
    """Codeword, output, loss, and gradients by key."""
    network.zero_grad()
    x = x.clone().requires_grad_()
    codeword = network.encode(x)
    output = network.decode(codeword)
    loss = F.mse_loss(output, x.detach())
    loss.backward()
    found = {f"grad.{key}": value.grad for key, value in network.named_parameters()}
    return codeword, output, loss, {"grad_input": x.grad} | found


def write(name, network, text, seed):
    torch.manual_seed(seed)
    draw(network)
    network.train()
    x = torch.rand(BATCH, 2, 32, 32)
    single = gradients(copy.deepcopy(network), x)[3]
    network.double()
    tensors = {
        key: value.clone()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    codeword, output, loss, double = gradients(network, x.double())
    error = max(
        ((single[key] - value).abs().max() / value.abs().max()).item()
        for key, value in double.items()
    )
    if error > 2e-5:
        return False
    tensors |= {"input": x, "codeword": codeword, "output": output, "loss": loss.reshape(1)}
    tensors |= double
    tensors |= {
        f"after.{key}": value
        for key, value in network.state_dict().items()
        if key.endswith(("running_mean", "running_var"))
    }
    save_file(
        {key: value.detach().float().contiguous() for key, value in tensors.items()},
        str(HERE / f"{name}.safetensors"),
        metadata={
            "network": text,
            "cr": "64",
            "mode": "train",
            "bn_eps": "1e-05",
            "bn_axis": "channel",
            "bn_momentum": "0.1",
            "params": str(sum(p.numel() for p in network.parameters())),
            "seed": str(seed),
        },
    )
    print(f"{name}: seed {seed}, loss {loss.item():.4f}, gradients in float32 to {error:.1e}")
    return True


next(seed for seed in range(11, 200) if write("dcrnet1x_cr64_train", DCRNet(64), "DCRNet-1x", seed))
next(
    seed
    for seed in range(11, 200)
    if write("lrp_cr64_train", LowRankPrior(64, 3, 40), "LRP {ranks: 3, measurements: 40}", seed)
)
