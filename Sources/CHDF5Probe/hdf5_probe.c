#include "include/hdf5_probe.h"

#define H5_USE_110_API
#include <hdf5.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "guarded.h"

enum { LARGEST_RANK = 32, LARGEST_NAME = 1024, CHUNKS_BETWEEN_REPORTS = 256 };
enum { DEEPEST = 4, PLAUSIBLE_CHUNKS = 1 << 20 };

// Links that may still be followed; groups that hold themselves have no end.
static int links_left = 100000;

static herr_t note_memory(unsigned n, const H5E_error2_t *error, void *found) {
  (void)n;
  if (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC) *(int *)found = 1;
  return 0;
}

// Called by libhdf5 after each call that failed.
static herr_t on_error(hid_t stack, void *unused) {
  (void)unused;
  int is_exhausted = 0;
  H5Ewalk2(stack, H5E_WALK_UPWARD, note_memory, &is_exhausted);
  if (is_exhausted) guarded_exhausted();
  return 0;
}

static void *allocate(size_t size) {
  void *memory = malloc(size);
  if (!memory) guarded_exhausted();
  return memory;
}

static void probe_class(hid_t object) {
  if (H5Aexists(object, "MATLAB_class") <= 0) return;
  hid_t attribute = H5Aopen(object, "MATLAB_class", H5P_DEFAULT);
  if (attribute < 0) return;
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  size_t size = type < 0 ? 0 : H5Tget_size(type);
  if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
      H5Tis_variable_str(type) == 0 && size >= 1 && size <= 64 &&
      H5Sget_simple_extent_npoints(space) == 1 && H5Aget_storage_size(attribute) == size) {
    char text[64];
    H5Aread(attribute, type, text);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
}

static void probe_number(hid_t type) {
  H5T_class_t kind = H5Tget_class(type);
  H5Tget_size(type);
  if (kind == H5T_ENUM) {
    hid_t base = H5Tget_super(type);
    if (base >= 0 && H5Tget_class(base) == H5T_INTEGER) probe_number(base);
    H5Tclose(base);
  }
  if (kind == H5T_INTEGER) H5Tget_sign(type);
  if (kind == H5T_INTEGER || kind == H5T_FLOAT) {
    H5Tget_order(type);
    H5Tequal(type, H5T_IEEE_F64LE);
  }
}

static void probe_type(hid_t dataset) {
  hid_t type = H5Dget_type(dataset);
  if (type < 0) return;
  if (H5Tget_class(type) == H5T_COMPOUND) {
    static const char *const names[] = {"real", "imag", "r", "i", "re", "im"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) H5Tget_member_index(type, names[i]);
    int members = H5Tget_nmembers(type);
    for (unsigned i = 0; members == 2 && i < 2; i++) {
      hid_t member = H5Tget_member_type(type, i);
      if (member >= 0) probe_number(member);
      H5Tget_member_offset(type, i);
      H5Tclose(member);
    }
    H5Tget_size(type);
  } else {
    probe_number(type);
  }
  H5Tclose(type);
}

// The place of every chunk of the grid, and the bytes of the first.
static void probe_grid(
    hid_t dataset, int rank, const hsize_t *lengths, const hsize_t *chunk, hsize_t file_size) {
  hsize_t corner[LARGEST_RANK] = {0};
  hsize_t count = 0;
  int axis;
  do {
    hsize_t size = 0;
    unsigned mask;
    haddr_t address;
    if (H5Dget_chunk_info_by_coord(dataset, corner, &mask, &address, &size) < 0) return;
    if (count == 0 && size > 0 && size <= file_size) {
      unsigned skipped;
      void *bytes = allocate(size);
      H5Dread_chunk(dataset, H5P_DEFAULT, corner, &skipped, bytes);
      free(bytes);
    }
    if (++count % CHUNKS_BETWEEN_REPORTS == 0) guarded_progress();
    for (axis = rank - 1; axis >= 0; axis--) {
      corner[axis] += chunk[axis];
      if (corner[axis] < lengths[axis]) break;
      corner[axis] = 0;
    }
  } while (axis >= 0);
}

static void probe_fill(hid_t dataset, hid_t plan) {
  H5D_fill_value_t status;
  if (H5Pfill_value_defined(plan, &status) < 0 || status != H5D_FILL_VALUE_USER_DEFINED) return;
  hid_t type = H5Dget_type(dataset);
  unsigned char bytes[64];
  if (type >= 0 && H5Tget_size(type) <= sizeof bytes) H5Pget_fill_value(plan, type, bytes);
  H5Tclose(type);
}

static void probe_chunks(
    hid_t dataset, hid_t space, hid_t plan, int rank, const hsize_t *lengths, hsize_t file_size) {
  hsize_t chunk[LARGEST_RANK];
  if (H5Pget_chunk(plan, rank, chunk) != rank) return;
  int filters = H5Pget_nfilters(plan);
  for (int i = 0; i < filters; i++) {
    unsigned flags, configuration, values[8];
    size_t value_count = 8;
    H5Pget_filter2(plan, i, &flags, &value_count, values, 0, NULL, &configuration);
  }
  hsize_t expected = 1;
  for (int axis = 0; axis < rank; axis++) {
    if (chunk[axis] == 0 || lengths[axis] == 0) return;
    hsize_t along = (lengths[axis] - 1) / chunk[axis] + 1;
    if (along > (file_size > PLAUSIBLE_CHUNKS ? file_size : PLAUSIBLE_CHUNKS) / expected) return;
    expected *= along;
  }
  hsize_t present = 0;
  if (H5Dget_num_chunks(dataset, space, &present) < 0) return;
  if (present < 1 || present > expected) return;
  if (present < expected) probe_fill(dataset, plan);
  guarded_progress();
  probe_grid(dataset, rank, lengths, chunk, file_size);
}

static void probe_dataset(hid_t dataset, hsize_t file_size) {
  H5Aexists(dataset, "MATLAB_empty");
  probe_type(dataset);
  hid_t space = H5Dget_space(dataset);
  hid_t plan = H5Dget_create_plist(dataset);
  if (space >= 0 && plan >= 0) {
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t lengths[LARGEST_RANK];
    H5Dget_storage_size(dataset);
    H5D_layout_t layout = H5Pget_layout(plan);
    if (rank >= 1 && rank <= LARGEST_RANK &&
        H5Sget_simple_extent_dims(space, lengths, NULL) == rank) {
      if (layout == H5D_CHUNKED) probe_chunks(dataset, space, plan, rank, lengths, file_size);
      if (layout == H5D_CONTIGUOUS) H5Dget_offset(dataset);
      hsize_t stored = H5Dget_storage_size(dataset);
      hid_t type = H5Dget_type(dataset);
      if (layout == H5D_COMPACT && stored < 1 << 16 && type >= 0 &&
          (hsize_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type) == stored) {
        void *bytes = allocate(stored + 1);
        H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
        free(bytes);
      }
      H5Tclose(type);
    }
  }
  H5Pclose(plan);
  H5Sclose(space);
}

static void probe_members(hid_t group, hsize_t file_size, int level);

static void probe_object(hid_t group, const char *name, hsize_t file_size, int level) {
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) return;
  probe_class(object);
  H5I_type_t kind = H5Iget_type(object);
  if (kind == H5I_DATASET) probe_dataset(object, file_size);
  if (kind == H5I_GROUP && level < DEEPEST) probe_members(object, file_size, level + 1);
  H5Oclose(object);
}

static void probe_members(hid_t group, hsize_t file_size, int level) {
  H5G_info_t info;
  if (H5Gget_info(group, &info) < 0) return;
  for (hsize_t i = 0; i < info.nlinks && links_left-- > 0; i++) {
    H5L_info_t link;
    char name[LARGEST_NAME] = {0};
    if (H5Lget_info_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, &link, H5P_DEFAULT) < 0 ||
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name - 1,
                           H5P_DEFAULT) < 0) {
      break;
    }
    guarded_progress();
    if (link.type == H5L_TYPE_HARD && name[0] != '#') probe_object(group, name, file_size, level);
  }
}

static void probe_root(hid_t file, hsize_t file_size) {
  hid_t group = H5Gopen2(file, "/", H5P_DEFAULT);
  if (group < 0) return;
  probe_members(group, file_size, 1);
  H5Gclose(group);
}

static void probe(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) return;
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, on_error, NULL);
  H5PLset_loading_state(0);
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access, 0, 1);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (file < 0) return;
  probe_root(file, (hsize_t)status.st_size);
  H5Fclose(file);
}

struct hdf5_finding hdf5_probe(const char *path, int seconds, unsigned long long bytes) {
  return guarded_run(probe, path, seconds, bytes);
}
