"""Writes the networks of this folder, exported by PyTorch, with inputs and the outputs of onnxruntime.

    python make.py FOLDER      needs torch, onnx, onnxruntime and onnxscript

NAME.onnx is one network with random weights, NAME.safetensors has 'input' and 'output' of a few samples.
Made with torch 2.13.0, onnx 1.23.2, onnxruntime 1.31.1, onnxscript 0.7.2, seed 1.
"""

import json
import os
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
FOLDER = sys.argv[1]
IMAGE = (2, 8, 8)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {
            "dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def settle(network):
    """Statistics and weights other than the initial ones."""
    generator = torch.Generator().manual_seed(7)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.copy_(0.2 * torch.randn(tensor.shape, generator=generator))
        elif name.endswith("running_var"):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif tensor.dtype == torch.float32 and tensor.dim() <= 1:
            tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
    return network.eval()


def export(name, network, shape, exporter="legacy", batch=None, keep=False, opset=17, external=False, samples=None):
    network = settle(network)
    path = os.path.join(FOLDER, f"{name}.onnx")
    sample = torch.rand(batch or 2, *shape)
    if exporter == "legacy":
        axes = None if batch else {"input": {0: "batch"}, "output": {0: "batch"}}
        extra = {}
        if keep:  # normalisations as nodes of their own
            extra = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
        torch.onnx.export(
            network, (sample,), path, input_names=["input"], output_names=["output"],
            dynamic_axes=axes, opset_version=opset, dynamo=False, **extra)
    else:
        shapes = None if batch else ({0: torch.export.Dim("batch")},)
        program = torch.onnx.export(
            network, (sample,), input_names=["input"], output_names=["output"],
            dynamic_shapes=shapes, dynamo=True, opset_version=opset, verbose=False)
        program.save(path, external_data=external)
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:  # traces of the exporter, which nothing reads
        node.ClearField("doc_string")
        del node.metadata_props[:]
    del model.graph.value_info[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for tensor in model.graph.initializer:
        tensor.ClearField("doc_string")
    with open(path, "wb") as file:  # values of other files stay there
        file.write(model.SerializeToString())
    run(name, path, shape, batch, network if name == "quantized" else None, samples)


def run(name, path, shape, batch=None, network=None, samples=None):
    """Writes inputs and outputs, of several samples one by one if the batch is of one."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    port = session.get_inputs()[0].name
    generator = np.random.default_rng(3)
    value = generator.random((samples or batch or 3, *shape), dtype="f4")
    parts = np.split(value, samples) if samples else [value]
    output = np.concatenate([session.run(None, {port: part})[0] for part in parts])
    tensors = {"input": value, "output": output}
    if network is not None:  # PyTorch's gradient of the mean square of the output
        leaf = torch.tensor(value, requires_grad=True)
        network(leaf).square().mean().backward()
        tensors["input_gradient"] = leaf.grad.numpy()
    write_safetensors(os.path.join(FOLDER, f"{name}.safetensors"), tensors)
    operators = sorted({node.op_type for node in onnx.load(path).graph.node})
    print(f"{name}: {list(value.shape)} -> {list(output.shape)}, {os.path.getsize(path)} bytes: {', '.join(operators)}")


class Lambda(nn.Module):
    def __init__(self, function, **layers):
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.function = function

    def forward(self, x):
        return self.function(self.layers, x)


def convolutions():
    def body(m, x):
        a = F.leaky_relu(m["a_bn"](m["a"](x)), 0.3)
        b = m["b_slope"](m["b_bn"](m["b"](x)))
        c = torch.relu(m["c"](torch.cat([a, b], 1)))
        d = m["d_bn"](c + m["d"](c))  # a normalisation behind a sum
        return m["fc"](torch.flatten(d, 1))

    return Lambda(
        body, a=nn.Conv2d(2, 4, (1, 5), padding=(0, 2)), a_bn=nn.BatchNorm2d(4, eps=1e-3),
        b=nn.Conv2d(2, 4, 3, padding=2, dilation=2, groups=2, bias=False), b_bn=nn.BatchNorm2d(4),
        b_slope=nn.PReLU(4), c=nn.Conv2d(8, 4, 3, padding=1, groups=4), d=nn.Conv2d(4, 4, 1),
        d_bn=nn.BatchNorm2d(4), fc=nn.Linear(256, 16))


def strided():
    def body(m, x):
        y = m["one_slope"](m["down"](x))
        y = F.silu(m["even"](F.pad(y, (1, 0, 0, 1))))
        y = m["line"](y.flatten(2))
        return torch.tanh(m["uneven"](y.reshape(-1, 6, 4, 4))).flatten(1)

    return Lambda(
        body, down=nn.Conv2d(2, 6, 3, stride=2, padding=1), one_slope=nn.PReLU(),
        even=nn.Conv2d(6, 6, 2), line=nn.Conv1d(6, 6, 3, padding=1),
        uneven=nn.Conv2d(6, 2, (3, 3), padding=(1, 2), dilation=(1, 2)))


def transposed():
    def body(m, x):
        y = F.gelu(m["up"](m["fc"](x).view(-1, 4, 4, 4)))
        return torch.sigmoid(m["last"](m["grouped"](y)))

    return Lambda(
        body, fc=nn.Linear(16, 64), up=nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1),
        grouped=nn.ConvTranspose2d(4, 4, 3, padding=2, dilation=2, groups=2),
        last=nn.ConvTranspose2d(4, 2, 1))


def attention():
    def body(m, x):
        tokens = x.reshape(-1, 2, 8, 8).permute(0, 2, 1, 3).flatten(2) @ m["embed"].weight
        tokens = tokens + m["position"].weight
        y = m["norm"](tokens)
        q, k, v = m["qkv"](y).chunk(3, dim=-1)
        heads = [t.reshape(-1, 8, 2, 6).transpose(1, 2) for t in (q, k, v)]
        weights = torch.softmax(heads[0] @ heads[1].transpose(-1, -2) / 6**0.5, -1)
        mixed = (weights @ heads[2]).transpose(1, 2).reshape(-1, 8, 12)
        tokens = tokens + m["out"](mixed)
        tokens = tokens + m["second"](F.gelu(m["first"](m["norm2"](tokens))))
        return m["fc"](tokens.flatten(1))

    return Lambda(
        body, embed=nn.Linear(12, 16, bias=False), position=nn.Embedding(8, 12),
        norm=nn.LayerNorm(12), qkv=nn.Linear(12, 36), out=nn.Linear(12, 12), norm2=nn.LayerNorm(12),
        first=nn.Linear(12, 24), second=nn.Linear(24, 12), fc=nn.Linear(96, 8))


def encoder_layer():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
    return Lambda(
        lambda m, x: m["fc"](m["layer"](x.flatten(1).view(-1, 8, 16)).flatten(1)), layer=layer,
        fc=nn.Linear(128, 8))


def attention_module():
    """Tokens first, as PyTorch's attention has them by default."""
    layer = nn.TransformerEncoderLayer(16, 2, 24, dropout=0.0)
    return Lambda(
        lambda m, x: m["fc"](m["layer"](x.flatten(1).view(-1, 8, 16).transpose(0, 1)).transpose(0, 1).flatten(1)),
        layer=layer, fc=nn.Linear(128, 8))


def wide_attention():
    """As many values a sample as the field's images have, and an open batch that the exporter moves behind the tokens."""
    layer = nn.MultiheadAttention(32, 2, batch_first=True)
    return Lambda(
        lambda m, x: m["layer"](*[x.reshape(-1, 64, 32)] * 3, need_weights=False)[0].mean(1), layer=layer)


def shuffle():
    def body(m, x):
        y = m["a"](x)
        y = y.view(-1, 2, 4, 8, 8).transpose(1, 2).reshape(-1, 8, 8, 8)
        left, right = y.chunk(2, 1)
        gate = torch.sigmoid(m["up"](torch.relu(m["down"](y.mean((2, 3))))))
        y = y * gate[:, :, None, None] + torch.cat([right, left], 1)
        pooled = torch.cat([y.mean(1, keepdim=True), y.amax(1, keepdim=True)], 1)
        y = y * torch.sigmoid(m["gate"](pooled))
        return m["fc"]((2 * y - 1).flatten(1)) / 3

    return Lambda(
        body, a=nn.Conv2d(2, 8, 3, padding=1, groups=2), down=nn.Linear(8, 4), up=nn.Linear(4, 8),
        gate=nn.Conv2d(2, 1, 3, padding=1), fc=nn.Linear(512, 8))


def functions(all=True):
    def body(m, x):
        y = m["a"](x)
        parts = [
            F.elu(y), F.selu(y), F.softsign(y), F.hardswish(y), F.silu(y),
            F.gelu(y, approximate="tanh"), F.hardsigmoid(y), torch.erf(y), torch.exp(-y * y),
            torch.log(1 + y.abs()), torch.sqrt(y * y + 0.1), y.clamp(-0.3, 0.4), (y + 3) ** 2,
            1 / (2 + y * y), torch.maximum(y, 0.5 * x), torch.minimum(y, x), torch.sin(y), torch.cos(y),
            F.celu(y, 0.7), torch.rsqrt(y * y + 1), F.leaky_relu(y, 0.1), y / (x + 1), x - y, 1 - y,
            y ** 3, -y, F.relu6(4 * y)]
        if all:  # the newer exporter makes choices of them
            parts += [F.softplus(y), F.mish(y)]
        return sum((0.1 + 0.03 * i) * p for i, p in enumerate(parts)).flatten(1)

    return Lambda(body, a=nn.Conv2d(2, 2, 3, padding=1))


def arrangements():
    def body(m, x):
        y = m["a"](x)
        parts = [
            y[:, :, ::2, 1:], y[:, :, 1::2, :-1], y.flip(2)[:, :, :4, :7], y[:, 1:2, :4, 1:].expand(-1, 4, -1, -1),
            F.pad(y, (1, 2, 2, 1), mode="reflect")[:, :, 3:7, 2:9],
            F.pad(y, (2, 0, 1, 1), mode="replicate")[:, :, :4, :7],
            y.index_select(2, torch.tensor([0, 2, 5, 7]))[..., 1:], F.pixel_shuffle(y, 2)[:, :1, 2:6, 3:10].expand(-1, 4, -1, -1),
            F.pixel_unshuffle(y, 2)[:, ::4, :, :3].repeat(1, 1, 1, 3)[..., :7],
            torch.stack([y[:, 0], y[:, 2], y[:, 1], y[:, 3]], 2).transpose(1, 2)[:, :, :4, :7],
            F.pad(y, (-1, 0, 0, -4), value=0.0)]
        z = torch.cat([parts[0], torch.cat(parts[1:3], 2)[:, :, 2:6]], 3)
        a, b = z[:, 0], z[:, 1:2]
        rows = torch.split(y, [3, 5], 2)
        tail = torch.cat([rows[1], rows[0]], 2).permute(0, 3, 1, 2)
        return torch.cat([sum(parts).flatten(1), a.flatten(1), b.squeeze(1).flatten(1), tail.flatten(1)], 1)

    return Lambda(body, a=nn.Conv2d(2, 4, 1))


def reductions():
    def body(m, x):
        y = m["group"](m["a"](x))
        z = m["instance"](y) + m["all"](y)
        parts = [
            z.mean(2), z.sum((1, 3)), z.amax(3).flatten(1), z.amin(1).flatten(1), z.norm(dim=2).flatten(1),
            (z * z).sum(-1).flatten(1), z.abs().sum(1).flatten(1), F.adaptive_avg_pool2d(z, 1).flatten(1),
            torch.softmax(z, 1).flatten(1), torch.softmax(z, 3)[:, 0].flatten(1), z.std((2, 3), unbiased=False)]
        return torch.cat([p.flatten(1) for p in parts], 1)

    return Lambda(
        body, a=nn.Conv2d(2, 4, 3, padding=1), group=nn.GroupNorm(2, 4),
        instance=nn.InstanceNorm2d(4, affine=True), all=nn.LayerNorm([4, 8, 8]))


def logic():
    """Choices by comparison, continuous where the choice changes."""
    def body(m, x):
        y = m["a"](x)
        z = y.flip(1)
        both = (y > 0) & (z > 0)
        parts = [
            torch.where(y >= 0, y, 0.3 * y), torch.where(y <= z, y, z), (y > 0.2).float() * (y - 0.2),
            (y < z).float() * (z - y), torch.where(both, torch.minimum(y, z), torch.zeros(())),
            torch.where((y > 0) | (z > 0), torch.maximum(y, z), 0.0 * y),
            torch.where(~(y >= 0.1), y - 0.1, 2 * (y - 0.1)), torch.where((y > 0) ^ (z > 0), y * z, 0.0 * y),
            torch.where((y == y), y, z), torch.atan(y), torch.tan(0.2 * y), torch.asin(0.3 * torch.tanh(y)),
            torch.acos(0.3 * torch.tanh(y))]
        return sum((0.1 + 0.03 * i) * p for i, p in enumerate(parts)).flatten(1)

    return Lambda(body, a=nn.Conv2d(2, 2, 3, padding=1))


def hyperbolic():
    """Functions that PyTorch's older exporter does not write, in a graph by hand."""
    node = onnx.helper.make_node
    nodes = [node("Flatten", ["input"], ["x"]), node("Tanh", ["x"], ["t"]), node("Mul", ["t", "half"], ["h"]),
             node("Mul", ["x", "x"], ["s"]), node("Add", ["s", "two"], ["above"])]
    for kind, value in [("Sinh", "x"), ("Cosh", "x"), ("Asinh", "x"), ("Acosh", "above"), ("Atanh", "h")]:
        nodes.append(node(kind, [value], [kind]))
    nodes.append(node("Concat", ["Sinh", "Cosh", "Asinh", "Acosh", "Atanh"], ["output"], axis=1))
    path = by_hand("hyperbolic", nodes, {"half": np.array(0.5, np.float32), "two": np.array(2, np.float32)}, 640)
    run("hyperbolic", path, IMAGE)


def by_hand(name, nodes, constants, length):
    """A graph of its own, from input [batch, *IMAGE] to output [batch, length]; its path."""
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes, name, [value("input", 1, ["batch", *IMAGE])], [value("output", 1, ["batch", length])],
        [onnx.numpy_helper.from_array(array, key) for key, array in constants.items()])
    path = os.path.join(FOLDER, f"{name}.onnx")
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def whole_numbers():
    """Comparisons of constants that single precision does not tell apart."""
    node = onnx.helper.make_node
    a = np.array([2**24 + 1, 2**24, -5, 0, 2**62, 2**62 + 1, 3, -2**40], np.int64)
    b = np.array([2**24, 2**24, 3, 0, 2**62 + 1, 2**62, -5, -2**40 - 1], np.int64)
    nodes = [node("Flatten", ["input"], ["x"])]
    kinds = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]
    for kind in kinds:
        nodes += [node(kind, ["a", "b"], [kind]), node("Cast", [kind], [f"{kind} f"], to=1)]
    nodes += [node("Sign", ["a"], ["sign"]), node("Cast", ["sign"], ["sign f"], to=1),
              node("Concat", [f"{kind} f" for kind in kinds] + ["sign f"], ["row"], axis=0),
              node("Slice", ["x", "zero", "last", "one"], ["part"]), node("Mul", ["part", "row"], ["output"])]
    constants = {"a": a, "b": b, "zero": np.array([0]), "last": np.array([48]), "one": np.array([1])}
    run("whole_numbers", by_hand("whole_numbers", nodes, constants, 48), IMAGE)


def absurd():
    """Numbers that overflow where they are added or rounded; nothing to compare them with."""
    node = onnx.helper.make_node
    pads = node("AveragePool", ["input"], ["y"], kernel_shape=[2, 2], pads=[2**62] * 4)
    by_hand("absurd_pads", [pads, node("Flatten", ["y"], ["output"])], {}, 128)
    large = {"k": np.array([2**63 - 1], np.int64)}
    nodes = [node("Floor", ["k"], ["f"]), node("Cast", ["f"], ["g"], to=1), node("Flatten", ["input"], ["x"]),
             node("Mul", ["x", "g"], ["output"])]
    by_hand("absurd_floor", nodes, large, 128)
    points = {"s": np.array(1, np.float32), "k": np.zeros((1, 1), np.int64)}
    nodes = [node("GatherND", ["s", "k"], ["g"]), node("Flatten", ["input"], ["x"]), node("Mul", ["x", "g"], ["output"])]
    by_hand("absurd_points", nodes, points, 128)


def same_padding():
    """Pads by rule, as TensorFlow's exporters write them: even kernels, strides, odd pads on either side."""
    node = onnx.helper.make_node
    generator = np.random.default_rng(5)
    weight = lambda *shape: (0.3 * generator.standard_normal(shape)).astype(np.float32)
    nodes = [
        node("Conv", ["input", "a"], ["x"], auto_pad="SAME_UPPER", kernel_shape=[2, 4]),
        node("LeakyRelu", ["x"], ["y"], alpha=0.3),
        node("Conv", ["y", "b"], ["z"], auto_pad="SAME_LOWER", kernel_shape=[3, 2], strides=[2, 1]),
        node("MaxPool", ["z"], ["m"], auto_pad="SAME_UPPER", kernel_shape=[2, 3], strides=[1, 3]),
        node("MaxPool", ["z"], ["l"], auto_pad="SAME_LOWER", kernel_shape=[2, 3], strides=[1, 3]),
        node("Conv", ["y", "c"], ["v"], auto_pad="VALID", kernel_shape=[3, 3]),
        node("Flatten", ["m"], ["fm"]), node("Flatten", ["l"], ["fl"]), node("Flatten", ["v"], ["fv"]),
        node("Concat", ["fm", "fl", "fv"], ["output"], axis=1)]
    constants = {"a": weight(4, 2, 2, 4), "b": weight(3, 4, 3, 2), "c": weight(2, 4, 3, 3)}
    run("same_padding", by_hand("same_padding", nodes, constants, 2 * 3 * 4 * 3 + 2 * 36), IMAGE)


def steps():
    """Functions that jump: their gradients are 0."""
    def body(m, x):
        y = m["a"](x)
        return torch.cat([
            torch.floor(3 * y), torch.ceil(3 * y), torch.round(3 * y), torch.sign(y), (y > 0.1).float(),
            (~(y >= 0)).float(), ((y > 0) ^ (y < 0.3)).float()], 1).flatten(1)

    return Lambda(body, a=nn.Conv2d(2, 2, 3, padding=1))


def tokens():
    """A learned token beside those of the sample, weights by length and direction, a learned gate, slopes for every value, rolled edges."""
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.utils.weight_norm(nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular"))
            self.slopes = nn.Parameter(0.3 * torch.rand(4, 8, 8))
            self.token = nn.Parameter(torch.randn(1, 1, 64))
            self.gate = nn.Parameter(torch.randn(1))
            self.attention = nn.TransformerEncoderLayer(64, 4, 96, batch_first=True)
            self.last = nn.MultiheadAttention(64, 2)
            self.out = nn.Linear(64, 40)

        def forward(self, x):
            y = self.conv(x)
            y = F.relu(y) - self.slopes * F.relu(-y)
            y = torch.sigmoid(self.gate) * y + torch.tanh(self.gate)
            rows = torch.cat([self.token.expand(y.shape[0], -1, -1), y.flatten(2)], 1)
            rows = self.attention(rows).transpose(0, 1)
            rows = torch.cat([rows[[4, 0, 2]], self.token.expand(-1, y.shape[0], -1)])
            return self.out(self.last(rows, rows, rows)[0])[3]

    return Network()


def resizing():
    def body(m, x):
        y = m["norm"](m["a"](x))
        parts = [
            F.interpolate(y, scale_factor=2), F.interpolate(y, size=(5, 11)), F.interpolate(y, scale_factor=(0.5, 1.5)),
            F.interpolate(y, scale_factor=2, mode="bilinear"), F.interpolate(y, size=(11, 5), mode="bilinear"),
            F.interpolate(y, size=(3, 13), mode="bilinear", align_corners=True),
            F.interpolate(y.flatten(2), size=(100,), mode="linear")]
        return torch.cat([p.flatten(1) for p in parts], 1)

    return Lambda(body, a=nn.Conv2d(2, 4, 3, padding=1), norm=nn.GroupNorm(2, 4))


def sums():
    """Sums with named axes, as attention is often written."""
    def body(m, x):
        y = m["a"](x)
        q, k, v = y.reshape(y.shape[0], 3, 2, 8, 8).unbind(1)
        weights = torch.log_softmax(torch.einsum("bhid,bhjd->bhij", q, k), -1)
        z = torch.einsum("bhij,bhjd->bihd", weights, v)
        parts = [
            z, torch.einsum("bihd,hdo->bio", z, m["w"].weight), torch.einsum("bchw->bwh", x),
            torch.einsum("bchw,ck->bkhw", x, m["v"].weight), torch.einsum("bhid,hio->bhid", q, m["u"].weight),
            torch.einsum("nchw,nchw->nc", x, x), torch.log_softmax(y, 1)]
        return torch.cat([p.flatten(1) for p in parts], 1)

    class Weight(nn.Module):
        def __init__(self, *shape):
            super().__init__()
            self.weight = nn.Parameter(0.5 * torch.randn(shape))

    return Lambda(body, a=nn.Conv2d(2, 6, 3, padding=1), w=Weight(2, 8, 5), v=Weight(2, 3), u=Weight(2, 8, 3))


def rounded_up():
    """Windows that begin within the map and end beyond it, and other operators that PyTorch does not write."""
    node = onnx.helper.make_node
    generator = np.random.default_rng(6)
    nodes = []
    windows = [
        dict(kernel_shape=[2, 2], strides=[2, 3]), dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        dict(kernel_shape=[3, 2], strides=[3, 3], pads=[1, 0, 0, 1])]
    for index, window in enumerate(windows):
        nodes += [
            node("MaxPool", ["input"], [f"a{index}"], ceil_mode=1, **window),
            node("AveragePool", ["input"], [f"b{index}"], ceil_mode=1, **window),
            node("AveragePool", ["input"], [f"c{index}"], ceil_mode=1, count_include_pad=1, **window)]
    nodes += [
        node("Pad", ["input", "pads"], ["p"], mode="reflect"), node("Mean", ["input", "row", "input"], ["m"]),
        node("Concat", ["one", "two"], ["both"], axis=1), node("Mul", ["input", "both"], ["t"]),
        node("ReduceLogSum", ["input"], ["s"], axes=[2], keepdims=0)]
    names = [name + str(index) for name in "abc" for index in range(3)] + ["p", "m", "t", "s"]
    nodes += [node("Flatten", [name], [f"{name}f"]) for name in names]
    nodes.append(node("Concat", [f"{name}f" for name in names], ["output"], axis=1))
    constants = {
        "pads": np.array([0, 0, 2, 0, 0, 0, 0, 3]), "row": generator.standard_normal(8).astype(np.float32),
        "one": generator.standard_normal((1, 1, 8, 8)).astype(np.float32),
        "two": generator.standard_normal((1, 1, 8, 8)).astype(np.float32)}
    run("rounded_up", by_hand("rounded_up", nodes, constants, 768), IMAGE)


def views():
    """Maps that convolutions read under other planes than those that they were written in, one slope for all channels between them."""
    def body(m, x):
        y = m["p"](m["a"](x))  # [6, 8, 8]
        y = m["p"](m["b"](y) + y)
        y = m["c"](y.view(-1, 4, 12, 8))  # [3, 12, 8]
        y = F.leaky_relu(m["d"](F.leaky_relu(y.view(-1, 2, 18, 8), 0.2)), 0.3) + y.view(-1, 2, 18, 8)
        y = m["e"](y.view(-1, 2, 12, 12)).view(-1, 4, 9, 8)
        return torch.cat([torch.sigmoid(m["f"](y)).flatten(1), y.flatten(1)], 1)

    conv = lambda i, o, k: nn.Conv2d(i, o, k, padding="same")
    return Lambda(
        body, p=nn.PReLU(), a=conv(2, 6, 3), b=conv(6, 6, 3), c=conv(4, 3, 3), d=conv(2, 2, (5, 3)), e=conv(2, 2, 3),
        f=conv(4, 1, (3, 1)))


def pooling():
    def body(m, x):
        y = m["a"](x)
        line = y.flatten(2)
        parts = [
            F.max_pool2d(y, 2), F.max_pool2d(y, 3, 1, 1), F.max_pool2d(y, (1, 3), (2, 1), dilation=(1, 2)),
            F.avg_pool2d(y, 2), F.avg_pool2d(y, 3, 2, 1, count_include_pad=False), F.avg_pool2d(y, 3, 1, 1),
            F.max_pool1d(line, 4, 2, 1), F.avg_pool1d(line, 5, 3)]
        return torch.cat([p.flatten(1) for p in parts], 1)

    return Lambda(body, a=nn.Conv2d(2, 3, 3, padding=1))


class Quantized(nn.Module):
    """Weights of 8 bits with a step for each channel, activations with one."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.fc = nn.Linear(256, 12)
        self.register_buffer("zeros", torch.zeros(4, dtype=torch.int32))

    def forward(self, x):
        scale = torch.tensor([0.003, 0.002, 0.0025, 0.004])
        weight = torch.fake_quantize_per_channel_affine(self.conv.weight, scale, self.zeros, 0, -128, 127)
        x = torch.fake_quantize_per_tensor_affine(x, 0.0035, 3, 0, 255)  # clamps the largest
        y = torch.relu(F.conv2d(x, weight, self.conv.bias, padding=1))
        y = torch.fake_quantize_per_channel_affine(
            y, torch.tensor([0.004, 0.006, 0.008, 0.01]), torch.tensor([-128, -120, -128, -100], dtype=torch.int32),
            1, -128, 127)
        return self.fc(y.flatten(1))


def encoder():
    return nn.Sequential(
        nn.Conv2d(2, 4, (3, 5), padding=(1, 2)), nn.BatchNorm2d(4), nn.PReLU(4), nn.Conv2d(4, 2, 3, padding=1),
        nn.GELU(), nn.Flatten(), nn.Linear(128, 32))


def decoder():
    return nn.Sequential(
        nn.Linear(32, 128), nn.Unflatten(1, IMAGE), nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6),
        nn.LeakyReLU(0.3), nn.Conv2d(6, 2, 3, padding=1), nn.Sigmoid())


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.gate = nn.Parameter(torch.tensor(0.3))
        self.offset = nn.Parameter(torch.zeros(2, 1, 8))
        self.mixing = nn.Parameter(torch.eye(8) + 0.1)

    def forward(self, x):
        y = x + self.gate * torch.tanh(self.conv(x)) + self.offset
        return (self.mixing @ y).flatten(1)


def main():
    torch.manual_seed(1)
    os.makedirs(FOLDER, exist_ok=True)
    export("convolutions", convolutions(), IMAGE, keep=True)
    export("convolutions_folded", convolutions(), IMAGE, batch=1)
    export("strided", strided(), IMAGE)
    export("transposed", transposed(), (16,))
    export("attention", attention(), IMAGE)
    export("attention_dynamo", attention(), IMAGE, exporter="dynamo", opset=18)
    export("encoder_layer", encoder_layer(), IMAGE, exporter="dynamo", opset=20)
    export("encoder_layer_single", encoder_layer(), IMAGE, batch=1, samples=3)
    export("attention_module", attention_module(), IMAGE)
    export("attention_module_single", attention_module(), IMAGE, exporter="dynamo", opset=18, batch=1, samples=3)
    export("wide_attention", wide_attention(), (2, 32, 32))
    export("shuffle", shuffle(), IMAGE)
    export("shuffle_fixed", shuffle(), IMAGE, batch=4)
    export("functions", functions(), IMAGE, opset=17)
    export("functions_dynamo", functions(False), IMAGE, exporter="dynamo", opset=20)
    export("arrangements", arrangements(), IMAGE)
    export("arrangements_dynamo", arrangements(), IMAGE, exporter="dynamo", opset=18)
    export("reductions", reductions(), IMAGE)
    export("reductions_dynamo", reductions(), IMAGE, exporter="dynamo", opset=18)
    export("parameters", Residual(), IMAGE, exporter="dynamo", opset=18)
    export("logic", logic(), IMAGE)
    hyperbolic()
    whole_numbers()
    absurd()
    same_padding()
    export("tokens", tokens(), IMAGE)
    export("tokens_dynamo", tokens(), IMAGE, exporter="dynamo", opset=18)
    export("resizing", resizing(), IMAGE)
    export("resizing_dynamo", resizing(), IMAGE, exporter="dynamo", opset=21)
    export("sums", sums(), IMAGE)
    rounded_up()
    export("views", views(), IMAGE)
    export("steps", steps(), IMAGE)
    export("pooling", pooling(), IMAGE)
    export("quantized", Quantized(), IMAGE, opset=13)
    export("encoder", encoder(), IMAGE, keep=True)
    export("decoder", decoder(), (32,), keep=True)
    export("external", encoder(), IMAGE, exporter="dynamo", opset=18, external=True)


main()
