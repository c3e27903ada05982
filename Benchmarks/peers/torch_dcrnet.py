"""DCRNet, DCRNetV2 and LRP as PyTorch modules, with the names of csilink's weights files.

Matrix products are written so that each is one large call: measurements as one product with a matrix made of the vectors,
both parts of a sum of complex outer products as one batched product.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

ANGLES = TAPS = 32
VALUES = 2 * ANGLES * TAPS


class ConvBN(nn.Module):
    def __init__(self, inputs, outputs, kernel, groups=1, dilation=1):
        super().__init__()
        padding = tuple(dilation * (size // 2) for size in kernel)
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, padding=padding, groups=groups, dilation=dilation, bias=False
        )
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.bn(self.conv(x))


def prelu(channels):
    return nn.PReLU(channels, init=0.3)


class Autoencoder(nn.Module):
    def forward(self, x):
        return self.decode(self.encode(x))


class DilatedBlock(nn.Module):
    def __init__(self, nested):
        super().__init__()
        layers = []
        for dilation in (1, 2, 3):
            for kernel in ((3, 1), (1, 3)):
                layers += [ConvBN(2, 2, kernel, dilation=dilation), prelu(2)]
        self.conv1 = nn.Sequential(*layers[:-1])
        second = ConvBN(2, 2, (3, 3))
        self.conv2 = nn.Sequential(second) if nested else second
        self.prelu1, self.prelu2 = prelu(4), prelu(2)
        self.conv1x1 = ConvBN(4, 2, (1, 1))

    def forward(self, x):
        both = self.prelu1(torch.cat((self.conv1(x), self.conv2(x)), dim=1))
        return self.prelu2(x + self.conv1x1(both))


class RefinementBlock(nn.Module):
    def __init__(self, width, gated):
        super().__init__()
        groups = width // 2

        def shuffle():
            return nn.ChannelShuffle(groups) if groups > 1 else nn.Identity()

        self.path1 = nn.Sequential()
        for name, layer in (
            ("conv_3x3", ConvBN(2, width, (3, 3), dilation=2)),
            ("prelu1", prelu(width)),
            ("conv_1x5", ConvBN(width, width, (3, 1), groups, 3)),
            ("shuffle1", shuffle()),
            ("prelu2", prelu(width)),
            ("conv_5x1", ConvBN(width, width, (1, 3), groups, 3)),
            ("prelu4", prelu(width)),
            ("conv_1x1", ConvBN(width, 2, (3, 3))),
        ):
            self.path1.add_module(name, layer)
        self.path2 = nn.Sequential(
            ConvBN(2, width, (1, 3)),
            prelu(width),
            ConvBN(width, width, (5, 1), groups),
            shuffle(),
            prelu(width),
            ConvBN(width, width, (1, 5), groups),
            shuffle(),
            prelu(width),
            ConvBN(width, 2, (3, 1)),
        )
        self.prelu, self.prelu2 = prelu(4), prelu(2)
        self.conv1x1 = ConvBN(4, 2, (1, 1))
        if gated:
            self.gate = nn.Parameter(torch.tensor([1e-3]))
        self.gated = gated

    def forward(self, y):
        branch = self.conv1x1(self.prelu(torch.cat((self.path1(y), self.path2(y)), dim=1)))
        return self.prelu2(y + (self.gate * branch if self.gated else branch))


class DCRNet(Autoencoder):
    def __init__(self, n, k=1):
        super().__init__()
        self.encoder_feature = nn.Sequential()
        self.encoder_feature.add_module("conv5x5_bn", ConvBN(2, 2, (5, 5)))
        self.encoder_feature.add_module("prelu", prelu(2))
        self.encoder_feature.add_module("DCREncoderBlock1", DilatedBlock(nested=True))
        self.encoder_fc = nn.Linear(VALUES, VALUES // n)
        self.decoder_fc = nn.Linear(VALUES // n, VALUES)
        self.decoder_feature = nn.Sequential()
        self.decoder_feature.add_module("conv5x5_bn", ConvBN(2, 2, (5, 5)))
        self.decoder_feature.add_module("prelu", prelu(2))
        for i in (1, 2):
            self.decoder_feature.add_module(f"DCRDecoderBlock{i}", RefinementBlock(8 * k, False))

    def encode(self, x):
        return self.encoder_fc(self.encoder_feature(x).flatten(1))

    def decode(self, s):
        y = self.decoder_fc(s).reshape(-1, 2, ANGLES, TAPS)
        return torch.sigmoid(self.decoder_feature(y))


def normal(*shape, std):
    return nn.Parameter(std * torch.randn(*shape))


class Measurements(nn.Module):
    """Complex c_k = u_k^H H v_k, or real u_k^T h_c v_k, of h = 2 x - 1; then GELU and a dense layer."""

    def __init__(self, count, length, is_complex):
        super().__init__()
        std = 1 / math.sqrt(ANGLES)
        for part in ("_re", "_im") if is_complex else ("",):
            setattr(self, "u" + part, normal(count, ANGLES, std=std))
            setattr(self, "v" + part, normal(count, TAPS, std=std))
        self.mix = nn.Linear(2 * count, length)
        self.is_complex = is_complex

    def matrix(self):
        def outer(u, v):
            return (u[:, :, None] * v[:, None, :]).flatten(1)

        if not self.is_complex:
            one = outer(self.u, self.v)
            zero = torch.zeros_like(one)
            return torch.cat((torch.cat((one, zero), 1), torch.cat((zero, one), 1)))
        # conj(u) v, for both parts of H.
        re = outer(self.u_re, self.v_re) + outer(self.u_im, self.v_im)
        im = outer(self.u_re, self.v_im) - outer(self.u_im, self.v_re)
        return torch.cat((torch.cat((re, -im), 1), torch.cat((im, re), 1)))

    def forward(self, x):
        return self.mix(F.gelu(F.linear(2 * x.flatten(1) - 1, self.matrix())))


def outer_sum(ranks):
    """Sum of d a^H over ranks [batch, rank, 128] of d_re, d_im, a_re, a_im, as [batch, 2, 32, 32]."""
    d_re, d_im, a = ranks.split((ANGLES, ANGLES, 2 * TAPS), dim=2)
    a = torch.cat(a.split(TAPS, dim=2), dim=1)
    left = torch.cat((torch.cat((d_re, d_im), 1), torch.cat((d_im, -d_re), 1)), dim=2)
    return torch.bmm(left.transpose(1, 2), a).reshape(-1, 2, ANGLES, TAPS)


class DirectRanks(nn.Module):
    def __init__(self, length, ranks):
        super().__init__()
        self.proj = nn.Linear(length, 2 * (ANGLES + TAPS) * ranks)
        self.scale, self.bias = nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))
        self.ranks = ranks

    def forward(self, s):
        y = outer_sum(self.proj(s).reshape(len(s), self.ranks, -1))
        return (torch.tanh(self.scale[:, None, None] * y + self.bias[:, None, None]) + 1) / 2


class GatedRanks(nn.Module):
    def __init__(self, length, ranks, size, gate_bias, alpha):
        super().__init__()
        self.code_proj = nn.Linear(length, ranks * size)
        self.rank_gate = nn.Linear(length, ranks)
        nn.init.normal_(self.code_proj.weight, std=0.02)
        nn.init.zeros_(self.code_proj.bias)
        nn.init.zeros_(self.rank_gate.weight)
        nn.init.constant_(self.rank_gate.bias, gate_bias)
        for name, count in (("d_re", ANGLES), ("d_im", ANGLES), ("a_re", TAPS), ("a_im", TAPS)):
            setattr(self, "W_" + name, normal(ranks, size, count, std=1 / math.sqrt(size)))
        self.alpha = nn.Parameter(torch.tensor([alpha]))
        self.ranks = ranks

    def forward(self, s):
        codes = self.code_proj(s).reshape(len(s), self.ranks, -1).transpose(0, 1)
        gates = (self.alpha * torch.sigmoid(self.rank_gate(s))).transpose(0, 1)[:, :, None]
        rows = torch.bmm(codes, torch.cat((self.W_d_re, self.W_d_im), dim=2)) * gates
        columns = torch.bmm(codes, torch.cat((self.W_a_re, self.W_a_im), dim=2))
        return outer_sum(torch.cat((rows, columns), dim=2).transpose(0, 1))


class DCRNetV2(Autoencoder):
    SIZES = {
        "mini": (128, 32, 10, (8, 8, -2.0, 0.01)),
        "small": (256, 64, 16, None),
        "base": (512, 64, 16, None),
        "unified": (512, 64, 32, (16, 16, -2.0, 0.01)),
    }

    def __init__(self, n, variant="mini"):
        super().__init__()
        measurements, hidden, ranks, gated = self.SIZES[variant]
        length = VALUES // n
        self.enc_neural = Measurements(measurements, length, is_complex=True)
        self.enc_dilate = nn.Module()
        self.enc_dilate.block = DilatedBlock(nested=False)
        self.enc_dilate.proj = nn.Linear(VALUES, length)
        self.enc_dilate.gate = nn.Parameter(torch.tensor([1e-3]))
        self.fuse_enc = nn.Module()
        self.fuse_enc.fc1 = nn.Linear(2 * length, hidden)
        self.fuse_enc.fc2 = nn.Linear(hidden, length)
        for layer in (self.enc_dilate.proj, self.fuse_enc.fc1):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.fuse_enc.fc2.weight)
        nn.init.zeros_(self.fuse_enc.fc2.bias)
        self.gated = gated is not None
        if self.gated:
            self.decoder = nn.Module()
            self.decoder.direct = DirectRanks(length, ranks)
            self.decoder.extra = GatedRanks(length, *gated)
        else:
            self.decoder = DirectRanks(length, ranks)
        self.refine = nn.Module()
        self.refine.stages = nn.ModuleList([RefinementBlock(2, True)])

    def encode(self, x):
        a = self.enc_neural(x)
        y = self.enc_dilate.proj(self.enc_dilate.block(x).flatten(1))
        b = self.enc_dilate.gate * F.layer_norm(y, y.shape[1:])
        return a + b + self.fuse_enc.fc2(F.gelu(self.fuse_enc.fc1(torch.cat((a, b), dim=1))))

    def decode(self, s):
        if self.gated:
            coarse = self.decoder.direct(s) + self.decoder.extra(s)
        else:
            coarse = self.decoder(s)
        return self.refine.stages[0](coarse).clamp(0, 1)


class LowRankPrior(Autoencoder):
    def __init__(self, n, ranks=4, measurements=128):
        super().__init__()
        self.encoder = Measurements(measurements, VALUES // n, is_complex=False)
        self.decoder = DirectRanks(VALUES // n, ranks)

    def encode(self, x):
        return self.encoder(x)

    def decode(self, s):
        return self.decoder(s)
