"""Makes the reduced fixtures from the full data sets (NumPy 2, SciPy).

Usage: python3 reduce.py FOLDER, where FOLDER holds umi_los_200.npz, indoor_los_200.npz,
track_complex_v5.mat and umi_los_40.csv.
"""
import sys

import numpy as np
from scipy.io import loadmat, savemat
from scipy.sparse import eye

source = sys.argv[1]
umi = np.load(f"{source}/umi_los_200.npz")["HT"][:20]
indoor = np.load(f"{source}/indoor_los_200.npz")["HT"][:20]
track = loadmat(f"{source}/track_complex_v5.mat")["H_track"][:1]

np.savez_compressed("umi_los_20.npz", HT=umi)
savemat("umi_los_20_v5.mat", {"HT": umi}, do_compression=True)
savemat("indoor_los_20_v5.mat", {"HT": indoor})
savemat("track_1_v5.mat", {"H_track": track}, do_compression=True)
with open(f"{source}/umi_los_40.csv") as text, open("umi_los_4.csv", "w") as part:
    part.writelines(text.readlines()[:4])

# One small array in every variant of the NumPy format, each value = 100 * row + 10 * column + layer.
shape = (3, 4, 2)
row, column, layer = np.indices(shape)
values = 100 * row + 10 * column + layer
for kind in ["<f4", ">f4", "<f8", ">f8", "<f2", "<i2", ">i4", "<i8", "<u8"]:
    np.save(f"numpy_{kind.replace('<', 'le_').replace('>', 'be_')}.npy", values.astype(kind))
np.save("numpy_i1.npy", (values % 100).astype("i1"))
np.save("numpy_fortran.npy", np.asfortranarray(values.astype("<f4")))
np.save("numpy_complex64.npy", (values - 1j * values).astype("<c8"))
np.save("numpy_complex128_fortran.npy", np.asfortranarray((values - 1j * values).astype(">c16")))
for version in [(2, 0), (3, 0)]:
    with open(f"numpy_version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, values.astype("<f4"), version=version)
np.savez("numpy_several.npz", first=values.astype("<f4"), second=np.arange(5.0), text=np.array(["a"]))
# More than 64 MiB inflated, nearly all zeros.
large = np.zeros((4400, 4096), "<f4")
large[-1] = np.arange(4096)
np.savez_compressed("numpy_large.npz", large=large)
savemat("matlab_several.mat", {
    "first": values.astype("f4"), "second": np.arange(5.0), "words": "text",
    "record": {"field": np.arange(3.0)}, "cells": np.array([1.0, "a"], dtype=object),
    "flags": np.array([True, False]), "whole": np.arange(6, dtype="i2").reshape(2, 3),
    "sparse": eye(3).tocsc()}, do_compression=True)
