#include "buffer_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 32, LIMIT = 48 << 20 };

typedef struct {
  int count;
  size_t bytes;
  struct {
    void *pointer;
    size_t capacity;
  } slots[SLOTS];  // most recently released last
} cache;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void destroy(void *value) {
  cache *c = value;
  for (int i = 0; i < c->count; ++i) free(c->slots[i].pointer);
  free(c);
}

static void make_key(void) { pthread_key_create(&key, destroy); }

static cache *of_thread(void) {
  pthread_once(&once, make_key);
  cache *c = pthread_getspecific(key);
  if (!c) {
    c = calloc(1, sizeof *c);
    if (c) pthread_setspecific(key, c);
  }
  return c;
}

static void remove_slot(cache *c, int i) {
  c->bytes -= c->slots[i].capacity;
  c->count -= 1;
  memmove(&c->slots[i], &c->slots[i + 1], (size_t)(c->count - i) * sizeof c->slots[0]);
}

void *csk_buffer_take(size_t capacity) {
  cache *c = of_thread();
  for (int i = c ? c->count - 1 : -1; i >= 0; --i) {
    if (c->slots[i].capacity != capacity) continue;
    void *pointer = c->slots[i].pointer;
    remove_slot(c, i);
    return pointer;
  }
  void *pointer = NULL;
  return posix_memalign(&pointer, 64, capacity) == 0 ? pointer : NULL;
}

void csk_buffer_release(void *pointer, size_t capacity) {
  cache *c = of_thread();
  if (!c || capacity > LIMIT) {
    free(pointer);
    return;
  }
  // The oldest blocks make room.
  while (c->count == SLOTS || c->bytes + capacity > LIMIT) {
    free(c->slots[0].pointer);
    remove_slot(c, 0);
  }
  c->slots[c->count].pointer = pointer;
  c->slots[c->count].capacity = capacity;
  c->count += 1;
  c->bytes += capacity;
}
