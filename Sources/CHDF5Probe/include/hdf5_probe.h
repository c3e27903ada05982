// Looks through a file with libhdf5 in a child process, so that a damaged file ends the child alone.
#pragma once

enum hdf5_verdict {
  // libhdf5 got through the file, whatever errors it found; reading it here is safe.
  HDF5_SOUND,
  // The child ended by the signal in `detail`.
  HDF5_CRASHED,
  // The child made no progress for the time given.
  HDF5_STALLED,
  // The child needed more memory than given.
  HDF5_EXHAUSTED,
  // No child could be started, for the error number in `detail`.
  HDF5_UNTESTED
};

struct hdf5_finding {
  enum hdf5_verdict verdict;
  int detail;
};

// Opens the file and makes every call on its structure that the reader makes: objects of the root group, attributes,
// types, shapes, and the place of every chunk. No other thread may be inside libhdf5.
//
// seconds: longest time without progress; bytes: most memory taken beyond that of the process. O(chunks · log chunks).
struct hdf5_finding hdf5_probe(const char *path, int seconds, unsigned long long bytes);
