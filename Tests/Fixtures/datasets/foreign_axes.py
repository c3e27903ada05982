"""Makes small files of one set of channels h as other programs write them: axes in other orders, structs and groups, records,
tables with index and quotes, and shards.

h[drop, tone, port] of 5 x 3 x 2 is (100 drop + 10 tone + port + 1) (1 - i / 2), exact in single precision.

Usage: python3 foreign_axes.py (NumPy, SciPy, h5py)
"""
import h5py
import numpy as np
import scipy.io

drop, tone, port = np.indices((5, 3, 2))
number = 100 * drop + 10 * tone + port + 1
h = (number * (1 - 0.5j)).astype("complex64")

# MATLAB puts the drop last.
last = h.transpose(1, 2, 0)
scipy.io.savemat("foreign_last_v5.mat", {"H": last})
scipy.io.savemat(
    "foreign_struct_v5.mat",
    {"s": {"H": last, "info": {"H": last[..., :2], "name": "lab"}}, "on": np.array([[True, False]]), "c": np.array([[1, "a"]], "O")},
    do_compression=True,
)
np.save("foreign_last.npy", last)
np.save("foreign_ones.npy", h.transpose(2, 0, 1)[:, None, :, :, None])
np.save("foreign_parts.npy", np.stack([h.real, h.imag], axis=1))
np.save("foreign_parts_last.npy", np.stack([h.real, h.imag], axis=-1).transpose(2, 1, 0, 3))
np.savez("foreign_parts.npz", H=np.stack([h.real, h.imag], axis=1).astype("f4"), pos=np.zeros((5, 3)))
slots = np.stack([h, 2 * h, 3 * h, 4 * h], axis=0)
np.save("foreign_slots.npy", slots)

pair = np.zeros(h.shape, [("r", "<i2"), ("i", "<i2")])
pair["r"], pair["i"] = 2 * h.real, 2 * h.imag
np.save("foreign_pair.npy", pair)
np.save("foreign_flags.npy", h.real > 200)
record = np.zeros(
    5, [("gain", ">f8"), ("name", "<U3"), ("H", "<c8", (3, 2)), ("count", [("r", "<i2"), ("i", "<i2")])]
)
record["gain"], record["H"] = np.arange(5) / 2, h
record["count"]["r"], record["count"]["i"] = np.arange(5), -np.arange(5)
np.save("foreign_record.npy", record)
np.savez("foreign_records.npz", all=record)
np.save("foreign_objects.npy", np.array([h, "a"], "O"), allow_pickle=True)

with h5py.File("foreign_h5py.h5", "w") as file:
    file["H"] = h
    file["real"] = h.real
    group = file.create_group("link")
    group["down"] = last
    group.create_group("deep")["counts"] = pair
    part = dict(shape=(5, 3, 2), dtype="c8", chunks=(2, 2, 2), compression="gzip")
    file.create_dataset("begun", **part)[:2] = h[:2]
    file.create_dataset("filled", fillvalue=-1 - 2j, **part)[4:] = h[4:]
    file.create_dataset("packed", data=last, chunks=(2, 2, 3), compression="gzip", shuffle=True)
    file["words"] = "text"
    file["flags"] = h.real > 200
with h5py.File("foreign_struct_v73.mat", "w", userblock_size=512) as file:
    group = file.create_group("s")
    group.attrs["MATLAB_class"] = np.bytes_("struct")
    # HDF5 has MATLAB's axes in reverse.
    group.create_dataset("H", data=last.T, chunks=(2, 2, 3)).attrs["MATLAB_class"] = np.bytes_("single")
    loop = group.create_group("t")
    loop.attrs["MATLAB_class"] = np.bytes_("struct")
    loop["again"] = file["s"]
with open("foreign_struct_v73.mat", "r+b") as file:
    file.write(b"MATLAB 7.3 MAT-file, written by h5py".ljust(124) + b"\x00\x02IM")

table = np.stack([h.real, h.imag], axis=-1).reshape(5, -1)
with open("foreign_pandas.csv", "w") as file:  # DataFrame.to_csv
    file.write("," + ",".join(str(i) for i in range(12)) + "\n")
    file.writelines(f"{i}," + ",".join(str(x) for x in row) + "\n" for i, row in enumerate(table))
with open("foreign_r.csv", "w") as file:  # R's write.csv
    file.write('"",' + ",".join(f'"V{i + 1}"' for i in range(12)) + "\n")
    file.writelines(f'"{i + 1}",' + ",".join(f"{x:g}" for x in row) + "\n" for i, row in enumerate(table))
with open("foreign_r.txt", "w") as file:  # R's write.table
    file.write(" ".join(f'"V{i + 1}"' for i in range(12)) + "\n")
    file.writelines(f'"{i + 1}" ' + " ".join(f"{x:g}" for x in row) + "\n" for i, row in enumerate(table))
with open("foreign_complex.csv", "w") as file:  # complex numbers in quotes, with an index
    file.write("drop," + ",".join(f"h{i}" for i in range(6)) + "\n")
    for i, row in enumerate(h.reshape(5, 6)):
        file.write(f"{i}," + ",".join(f'"{x.real:g}{x.imag:+g}i"' for x in row) + "\n")

import os

os.makedirs("foreign_shards", exist_ok=True)
for index, drops in [(1, slice(0, 2)), (2, slice(2, 3)), (10, slice(3, 5))]:
    np.save(f"foreign_shards/h_{index}.npy", last[..., drops])
