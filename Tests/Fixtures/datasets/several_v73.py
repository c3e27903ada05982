"""Makes small v7.3 files (h5py): several_v73.mat with variables of every kind, dense_v73.mat whose root group keeps its
links in a heap, and elsewhere_v73.mat with a link to another file.

Usage: python3 several_v73.py
"""
import h5py
import numpy as np

row, column, layer = np.indices((3, 4, 2))
values = 100 * row + 10 * column + layer


def add(file, name, data, matlab_class, **options):
    dataset = file.create_dataset(name, data=data, **options)
    dataset.attrs["MATLAB_class"] = np.bytes_(matlab_class)
    return dataset


with h5py.File("several_v73.mat", "w", userblock_size=512, track_order=False) as file:
    packed = dict(chunks=(2, 2, 3), compression="gzip", shuffle=True, fletcher32=True)
    add(file, "packed", values.T.astype("<f4"), "single", **packed)
    add(file, "plain", values.T.astype("<f8"), "double")
    pair = np.dtype([("real", "<f8"), ("imag", "<f8")])
    complex_values = np.zeros((2, 4, 3), pair)
    complex_values["real"] = values.T
    complex_values["imag"] = -values.T
    add(file, "pairs", complex_values, "double", **packed)
    for kind in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]:
        number = np.dtype(kind)
        add(file, f"{number.name}_numbers", (values.T % 100).astype(kind), number.name)
    add(file, "big_endian", values.T.astype(">f4"), "single")
    # What follows is to be refused, or left out of lists.
    add(file, "words", np.array([[72], [84]], "u2"), "char")
    add(file, "flags", np.array([[1, 0]], "u1"), "logical")
    add(file, "nothing", np.array([0, 0], "u8"), "double").attrs["MATLAB_empty"] = np.uint8(1)
    file.create_dataset("unmarked", data=np.arange(3.0))
    file.create_group("record").attrs["MATLAB_class"] = np.bytes_("struct")
    add(file, "outside", None, "double", shape=(2, 3), dtype="<f8", external=[("/etc/passwd", 0, 48)])
    layout = h5py.VirtualLayout(shape=(2, 3), dtype="<f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(2, 3))
    file.create_virtual_dataset("virtual", layout).attrs["MATLAB_class"] = np.bytes_("double")
    file["soft"] = h5py.SoftLink("/plain")
    add(file, "holes", None, "single", shape=(4, 4), dtype="<f4", chunks=(2, 2))[0, 0] = 1
    strange = np.dtype([("re", "<f4"), ("im", "<f4")])
    add(file, "strange_pair", np.zeros((2, 2), strange), "single")
    add(file, "beyond", np.array([[2**53 + 1]], "u8"), "uint64")
with h5py.File("dense_v73.mat", "w", userblock_size=512, libver="latest") as file:
    for index in range(12):
        add(file, f"variable_{index}", values.astype("<f4"), "single")
with h5py.File("elsewhere_v73.mat", "w", userblock_size=512) as file:
    add(file, "here", values.T.astype("<f4"), "single")
    file["elsewhere"] = h5py.ExternalLink("other.h5", "/x")
for name in ["several", "dense", "elsewhere"]:
    with open(f"{name}_v73.mat", "r+b") as file:
        text = b"MATLAB 7.3 MAT-file, written by h5py"
        file.write(text.ljust(124) + b"\x00\x02IM")
