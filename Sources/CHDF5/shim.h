// libhdf5 for Swift: its names for constants and predefined types are macros with calls inside, which
// Swift cannot import, so each one in use gets a function here.
#define H5_USE_110_API
#include <hdf5.h>
#include <string.h>

static inline unsigned shim_H5F_ACC_RDONLY(void) { return H5F_ACC_RDONLY; }
static inline unsigned shim_H5F_ACC_TRUNC(void) { return H5F_ACC_TRUNC; }
static inline hid_t shim_H5P_FILE_CREATE(void) { return H5P_FILE_CREATE; }
static inline hid_t shim_H5P_DATASET_CREATE(void) { return H5P_DATASET_CREATE; }
static inline hid_t shim_H5T_C_S1(void) { return H5T_C_S1; }
static inline hid_t shim_H5P_FILE_ACCESS(void) { return H5P_FILE_ACCESS; }

// The standard type with these properties, or -1 if there is none.
static inline hid_t shim_standard_type(H5T_class_t kind, size_t size, int is_signed, int is_big) {
  if (kind == H5T_FLOAT) {
    if (size == 4) return is_big ? H5T_IEEE_F32BE : H5T_IEEE_F32LE;
    if (size == 8) return is_big ? H5T_IEEE_F64BE : H5T_IEEE_F64LE;
  } else if (kind == H5T_INTEGER && is_signed) {
    if (size == 1) return is_big ? H5T_STD_I8BE : H5T_STD_I8LE;
    if (size == 2) return is_big ? H5T_STD_I16BE : H5T_STD_I16LE;
    if (size == 4) return is_big ? H5T_STD_I32BE : H5T_STD_I32LE;
    if (size == 8) return is_big ? H5T_STD_I64BE : H5T_STD_I64LE;
  } else if (kind == H5T_INTEGER) {
    if (size == 1) return is_big ? H5T_STD_U8BE : H5T_STD_U8LE;
    if (size == 2) return is_big ? H5T_STD_U16BE : H5T_STD_U16LE;
    if (size == 4) return is_big ? H5T_STD_U32BE : H5T_STD_U32LE;
    if (size == 8) return is_big ? H5T_STD_U64BE : H5T_STD_U64LE;
  }
  return -1;
}

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
