"""Writes small HDF5 files that want to lead readers astray into one folder.

    python make_hostile.py FOLDER      needs h5py and numpy

Made with h5py 3.16.0. What each one does stands beside its name.
"""

import os
import sys
import zlib

import h5py
import numpy as np

FOLDER = sys.argv[1]
FILES = {}


def file(function):
    FILES[function.__name__] = function
    return function


def numbers(count=12):
    return np.arange(count, dtype="f4").reshape(3, -1)


@file
def nested(f):
    """Groups in groups, as far as they are looked into, and farther."""
    group = f
    for level in range(9):
        group = group.create_group(f"g{level}")
        group["x"] = numbers()


@file
def cycle(f):
    """A group that holds itself, and two that hold each other."""
    a = f.create_group("a")
    a["x"] = numbers()
    a["self"] = a
    b = a.create_group("b")
    b["up"] = a
    f["root"] = f["/"]


@file
def ladder(f):
    """Eight groups, each twice in the one before: 2^8 ways to one array."""
    group = f
    for level in range(8):
        below = group.create_group("l")
        group["r"] = below
        group = below
    group["x"] = numbers()


@file
def many(f):
    """More groups and links than arrays."""
    f["x"] = numbers()
    for index in range(20):
        f.create_group(f"e{index}")["x"] = f["x"]


@file
def soft(f):
    """Soft links to an array, to nothing, to themselves and in a ring."""
    f["x"] = numbers()
    f["s"] = h5py.SoftLink("/x")
    f["nowhere"] = h5py.SoftLink("/y/z")
    f["me"] = h5py.SoftLink("/me")
    f["ring"] = h5py.SoftLink("/gnir")
    f["gnir"] = h5py.SoftLink("/ring")


@file
def external(f):
    """Links into another file, one that is there and one that is not."""
    f["x"] = numbers()
    f["there"] = h5py.ExternalLink("secret.h5", "/secret")
    f["gone"] = h5py.ExternalLink("/nowhere/else.h5", "/x")


@file
def storage(f):
    """Values in another file."""
    f["x"] = numbers()
    f.create_dataset("raw", shape=(4,), dtype="f4", external=[("secret.raw", 0, 16)])


@file
def virtual(f):
    """A virtual dataset of another file's array."""
    layout = h5py.VirtualLayout(shape=(3, 4), dtype="f4")
    layout[:] = h5py.VirtualSource("secret.h5", "secret", shape=(3, 4))
    f["x"] = numbers()
    f.create_virtual_dataset("v", layout)


@file
def huge(f):
    """Arrays of up to 2^60 values that were never written."""
    f["x"] = numbers()
    f.create_dataset("chunks", shape=(1 << 30, 1 << 30), chunks=(64, 64), dtype="f4")
    f.create_dataset("one", shape=(1 << 40,), dtype="f8")
    f.create_dataset("large_chunk", shape=(1 << 28,), chunks=(1 << 28,), dtype="f4", compression="gzip")


@file
def bombs(f):
    """Zeros packed as far as they can be, and filters on filters."""
    f.create_dataset("zeros", data=np.zeros((1 << 18,), "f4"), compression="gzip", chunks=(1 << 18,))
    f.create_dataset(
        "all", data=numbers(), compression="gzip", shuffle=True, fletcher32=True, chunks=(3, 4))


def chunk(f, name, bytes, shape=(3, 4), mask=0, **kind):
    data = f.create_dataset(name, shape=shape, chunks=shape, dtype="f4", **kind)
    data.id.write_direct_chunk((0,) * len(shape), bytes, filter_mask=mask)


@file
def lying_chunks(f):
    """Chunks that hold more, less, nothing, no deflated data or a bomb."""
    right = numbers().tobytes()
    chunk(f, "more", zlib.compress(right * 1000), compression="gzip")
    chunk(f, "less", zlib.compress(right[:20]), compression="gzip")
    chunk(f, "cut", zlib.compress(right)[:-9], compression="gzip")
    chunk(f, "other", b"no deflated data", compression="gzip")
    chunk(f, "bomb", zlib.compress(bytes(1 << 20), 9), compression="gzip")
    chunk(f, "skipped", right[:8], mask=1, compression="gzip")
    chunk(f, "short", right[:8])
    chunk(f, "long", right * 3)
    chunk(f, "sum", zlib.compress(right + bytes(4)), compression="gzip", fletcher32=True)
    f["x"] = numbers()


@file
def compound(f):
    """Records: complex numbers, other names, one in another, arrays and texts as members."""
    f["c"] = np.array([1 + 2j, 3 - 1j], "c8")
    f["other"] = np.zeros(3, [("a", "f4"), ("b", "f4")])
    f["swapped"] = np.zeros(3, [("i", "f4"), ("r", "f4")])
    f["mixed"] = np.zeros(3, [("r", "f4"), ("i", "f8")])
    f["apart"] = np.zeros(3, np.dtype({"names": ["r", "i"], "formats": ["f4", "f4"], "offsets": [0, 60], "itemsize": 64}))
    f["inside"] = np.zeros(3, [("r", [("r", "f4"), ("i", "f4")]), ("i", "f4")])
    f["array"] = np.zeros(3, [("r", "f4", (1000,)), ("i", "f4", (1000,))])
    f["text"] = np.zeros(3, [("r", "S4"), ("i", "S4")])
    f["many"] = np.zeros(2, [(f"m{i}", "f4") for i in range(200)])


@file
def kinds(f):
    """What is no number: texts, references, lists, enumerations, opaque bytes, nothing, scalars, an empty array."""
    f["text"] = ["a", "b"]
    f["reference"] = np.array([f.ref], h5py.ref_dtype)
    lists = f.create_dataset("lists", (2,), h5py.vlen_dtype("f4"))
    lists[0] = [1, 2, 3]
    f.create_dataset("flags", data=np.array([True, False]))
    f["opaque"] = np.void(b"abcdef")
    f["nothing"] = h5py.Empty("f4")
    f["scalar"] = np.float32(1)
    f["empty"] = np.zeros((0, 4), "f4")
    f["wide"] = np.zeros((1,) * 32, "f4")
    f["half"] = np.zeros(3, "f2")
    f["type"] = np.dtype("f4")


@file
def newest(f):
    """Structures of newer versions: dense groups, many attributes, extensible and fixed indices of chunks."""
    for index in range(40):
        f[f"x{index}"] = np.float32(index) * np.ones(2, "f4")
    for index in range(40):
        f["x0"].attrs[f"a{index}"] = np.zeros(40)
    f.create_dataset("grows", data=numbers(), chunks=(1, 2), maxshape=(None, None))
    f.create_dataset("fixed", data=numbers(), chunks=(1, 2))
    f.create_dataset("both", data=numbers(), chunks=(2, 2), maxshape=(None, 4), compression="gzip")


@file
def matlab(f):
    """What MATLAB writes, with classes that do not fit."""
    def named(name, data, kind):
        f[name] = data
        f[name].attrs["MATLAB_class"] = np.bytes_(kind)
    named("H", numbers(), "single")
    named("cell", numbers(), "cell")
    named("wrong", numbers(), "double")
    named("long", numbers(), "d" * 64)
    f["text"] = numbers()
    f["text"].attrs["MATLAB_class"] = "double"
    f["number"] = numbers()
    f["number"].attrs["MATLAB_class"] = np.arange(3)
    f["empty"] = numbers()
    f["empty"].attrs["MATLAB_empty"] = np.uint8(1)
    s = f.create_group("s")
    s.attrs["MATLAB_class"] = np.bytes_("struct")
    s["H"] = f["H"]
    s["s"] = s


def main():
    os.makedirs(FOLDER, exist_ok=True)
    os.chdir(FOLDER)
    for name, function in FILES.items():
        latest = {"libver": "latest"} if name == "newest" else {}
        with h5py.File(f"{name}.h5", "w", **latest) as f:
            function(f)
        print(f"{name}.h5: {os.path.getsize(name + '.h5')} bytes")
    with h5py.File("secret.h5", "w") as f:  # what links lead to
        f["secret"] = np.full((3, 4), 777, "f4")
    np.full(4, 777, "f4").tofile("secret.raw")


main()
