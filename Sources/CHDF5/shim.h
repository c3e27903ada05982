// libhdf5 for Swift: its names for constants and predefined types are macros with calls inside, which
// Swift cannot import, so each one in use gets a function here.
#define H5_USE_110_API
#include <hdf5.h>
#include <string.h>

static inline unsigned shim_H5F_ACC_RDONLY(void) { return H5F_ACC_RDONLY; }
static inline hid_t shim_H5P_FILE_ACCESS(void) { return H5P_FILE_ACCESS; }
static inline hid_t shim_H5T_NATIVE_INT8(void) { return H5T_NATIVE_INT8; }
static inline hid_t shim_H5T_NATIVE_UINT8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t shim_H5T_NATIVE_INT16(void) { return H5T_NATIVE_INT16; }
static inline hid_t shim_H5T_NATIVE_UINT16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t shim_H5T_NATIVE_INT32(void) { return H5T_NATIVE_INT32; }
static inline hid_t shim_H5T_NATIVE_UINT32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t shim_H5T_NATIVE_INT64(void) { return H5T_NATIVE_INT64; }
static inline hid_t shim_H5T_NATIVE_UINT64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t shim_H5T_NATIVE_FLOAT(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t shim_H5T_NATIVE_DOUBLE(void) { return H5T_NATIVE_DOUBLE; }

// Keeps the library from printing its error stack, and from loading filter plug-ins, which are code.
static inline void shim_H5_quiet(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  H5PLset_loading_state(0);
}

struct shim_text {
  char *bytes;
  size_t size;
};

static inline herr_t shim_H5_keep_first(unsigned n, const H5E_error2_t *error, void *data) {
  struct shim_text *text = (struct shim_text *)data;
  if (n == 0 && error->desc && text->size > 0) {
    strncpy(text->bytes, error->desc, text->size - 1);
    text->bytes[text->size - 1] = 0;
  }
  return 0;
}

// Copies the description of the innermost error of the last failed call.
static inline void shim_H5_error_text(char *bytes, size_t size) {
  struct shim_text text = {bytes, size};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, shim_H5_keep_first, &text);
}
