#pragma once
#include <stddef.h>

/// Memory for `capacity` bytes, aligned to 64, of undefined content: the block of exactly this capacity that the calling
/// thread released last, else a new one. NULL if there is no memory.
void *csk_buffer_take(size_t capacity);

/// Releases memory of csk_buffer_take. A thread keeps a few blocks for itself, so that a stage writes where the stage
/// before has just read, in its own cache; they are freed when the thread ends.
void csk_buffer_release(void *pointer, size_t capacity);
