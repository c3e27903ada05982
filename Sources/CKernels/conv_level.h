// Body of one instruction level. The including file defines LEVEL_TABLE, LEVEL_NAME, LANES; ROWS(c) and WIDE(c), rows
// and vectors of a row of a tile of c channels; FLAT(c), vectors of its tile of one row; WEIGHT_TAPS(c), OUTER_TAPS;
// FILTER_WIDE(c), FILTER_AT_ONCE(c): vectors and products of a tile of c channels of minimal filters;
// FACTORS_FIRST(c, n): whether a tile of c x n sums holds its c factors in registers and loads the n others one by one.
#include <string.h>

#include "include/conv_kernels.h"

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef float uvec __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int ivec __attribute__((vector_size(LANES * 4)));

#define LEVEL(name) name
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE vec load(const float *p) { return *(const uvec *)p; }
INLINE void store(float *p, vec v) { *(uvec *)p = v; }
INLINE vec load_part(const float *p, long n) {
  vec v = {0};
  memcpy(&v, p, (size_t)n * sizeof(float));
  return v;
}
INLINE void store_part(float *p, vec v, long n) { memcpy(p, &v, (size_t)n * sizeof(float)); }
// Written lane by lane: (vec){0} + x would cost an addition, because 0 + -0 is 0.
INLINE vec splat(float x) {
  vec v;
  UNROLL for (int i = 0; i < LANES; i++) v[i] = x;
  return v;
}
INLINE vec select(ivec mask, vec a, vec b) {
  return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}
INLINE vec rectify(vec u, vec slope) { return select(u > 0, u, u * slope); }
INLINE float lane_sum(vec v) {
  float s = 0;
  UNROLL for (int i = 0; i < LANES; i++) s += v[i];
  return s;
}
// By halves: a shorter chain than lane by lane.
INLINE float lane_sum_halves(vec v) {
  float s[LANES];
  UNROLL for (int i = 0; i < LANES; i++) s[i] = v[i];
  UNROLL for (int w = LANES / 2; w > 0; w /= 2) {
    UNROLL for (int i = 0; i < w; i++) s[i] += s[i + w];
  }
  return s[0];
}
INLINE double lane_sum_double(vec v) {
  double s = 0;
  UNROLL for (int i = 0; i < LANES; i++) s += v[i];
  return s;
}

// ---- convolution, forward -------------------------------------------------------------------

// Residual, activation and stores of a tile. ADD, RECTIFY and PART are known to the compiler: branches between the vectors
// would cost as much as a dozen taps.
INLINE void finish(const int C, const int R, const int V, const int ADD, const int RECTIFY,
                   const int PART, const conv_forward_job *job, const vec *sum, long channel,
                   long y, long x, long n) {
  // Stores of vectors may alias the job, so what is needed of it is read once.
  const long pitch = job->output_pitch, add_pitch = job->residual_pitch;
  const long *offsets = job->output_offsets + channel;
  const long *add_offsets = ADD ? job->residual_offsets + channel : 0;
  const float *add = ADD ? job->residual + y * add_pitch + x : 0;
  const float *slopes = RECTIFY ? job->slopes + channel : 0;
  float *out = job->output + y * pitch + x;
  UNROLL for (int c = 0; c < C; c++) {
    float *target = out + offsets[c];
    const float *source = ADD ? add + add_offsets[c] : 0;
    const vec slope = RECTIFY ? splat(slopes[c]) : (vec){0};
    UNROLL for (int r = 0; r < R; r++) {
      UNROLL for (int i = 0; i < V; i++) {
        vec u = sum[(c * R + r) * V + i];
        float *o = target + r * pitch + i * LANES;
        const float *a = ADD ? source + r * add_pitch + i * LANES : 0;
        if (ADD) u += PART ? load_part(a, n) : load(a);
        if (RECTIFY) u = rectify(u, slope);
        if (PART) store_part(o, u, n);
        else store(o, u);
      }
    }
  }
}

INLINE void finish_any(const int C, const int R, const int V, const int PART,
                       const conv_forward_job *job, const vec *sum, long channel, long y, long x,
                       long n) {
  if (job->residual && job->slopes) finish(C, R, V, 1, 1, PART, job, sum, channel, y, x, n);
  else if (job->residual) finish(C, R, V, 1, 0, PART, job, sum, channel, y, x, n);
  else if (job->slopes) finish(C, R, V, 0, 1, PART, job, sum, channel, y, x, n);
  else finish(C, R, V, 0, 0, PART, job, sum, channel, y, x, n);
}

// C output channels x R rows x V vectors, accumulated in registers over all taps. PART: vectors of n < LANES values.
INLINE void tile(const int C, const int R, const int V, const int PART,
                 const conv_forward_job *job, const long *taps, const float *w, const float *in,
                 long channel, long y, long x, long n) {
  vec sum[32];  // a fixed size, so that it is split into registers
  UNROLL for (int c = 0; c < C; c++) {
    vec b = splat(job->bias[channel + c]);
    UNROLL for (int i = 0; i < R * V; i++) sum[c * R * V + i] = b;
  }
  const long pitch = job->input_pitch, count = job->shape.tap_count;
  for (long t = 0; t < count; t++, w += C) {
    const float *p = in + taps[t];
    if (FACTORS_FIRST(C, R * V)) {
      vec s[8];
      UNROLL for (int c = 0; c < C; c++) s[c] = splat(w[c]);
      UNROLL for (int r = 0; r < R; r++) {
        UNROLL for (int i = 0; i < V; i++) {
          vec v = load(p + r * pitch + i * LANES);
          UNROLL for (int c = 0; c < C; c++) sum[(c * R + r) * V + i] += s[c] * v;
        }
      }
    } else {
      vec v[16];
      UNROLL for (int r = 0; r < R; r++) {
        UNROLL for (int i = 0; i < V; i++) v[r * V + i] = load(p + r * pitch + i * LANES);
      }
      UNROLL for (int c = 0; c < C; c++) {
        vec s = splat(w[c]);
        UNROLL for (int i = 0; i < R * V; i++) sum[c * R * V + i] += s * v[i];
      }
    }
  }
  finish_any(C, R, V, PART, job, sum, channel, y, x, n);
}

INLINE void rows(const int C, const int R, const int V, const conv_forward_job *job,
                 const long *taps, const float *w, long channel, long y) {
  const long width = job->shape.width;
  const float *in = job->input + y * job->input_pitch;
  long x = 0;
  for (; x + V * LANES <= width; x += V * LANES)
    tile(C, R, V, 0, job, taps, w, in + x, channel, y, x, LANES);
  if (V > 1) {
    for (; x + LANES <= width; x += LANES)
      tile(C, R, 1, 0, job, taps, w, in + x, channel, y, x, LANES);
  }
  if (x < width) tile(C, R, 1, 1, job, taps, w, in + x, channel, y, x, width - x);
}

#define BLOCK(C)                                                                              \
  _Static_assert(ROWS(C) * WIDE(C) <= 16 && (C) * ROWS(C) * WIDE(C) <= 32, "tile too large"); \
  _Static_assert(FLAT(C) <= 16 && (C) * FLAT(C) <= 32, "tile too large");                     \
  static void block_##C(const conv_forward_job *job, const long *taps, const float *w,        \
                        long channel) {                                                       \
    long y = 0;                                                                               \
    for (; y + ROWS(C) <= job->shape.height; y += ROWS(C))                                    \
      rows(C, ROWS(C), WIDE(C), job, taps, w, channel, y);                                             \
    for (; y < job->shape.height; y++) rows(C, 1, FLAT(C), job, taps, w, channel, y);                  \
  }
BLOCK(1)
BLOCK(2)
BLOCK(3)
BLOCK(4)
#if MAX_BLOCK >= 8
BLOCK(5)
BLOCK(6)
BLOCK(7)
BLOCK(8)
#endif

typedef void (*block_function)(const conv_forward_job *, const long *, const float *, long);
static const block_function blocks[MAX_BLOCK + 1] = {
    0,       block_1, block_2, block_3, block_4,
#if MAX_BLOCK >= 8
    block_5, block_6, block_7, block_8,
#endif
};

// Channels of the next block: wide blocks for single rows, else the tile that fills the registers.
static long next_block(long remaining, long height) {
  if (remaining <= MAX_BLOCK && (height < 2 || remaining != 8)) return remaining;
  if (height < 2) return MAX_BLOCK;
  return remaining % 7 == 0 && MAX_BLOCK >= 7 ? 7 : (remaining % 4 == 0 ? 4 : PREFERRED_BLOCK);
}

#include "winograd_level.h"

static void level_pack(const conv_shape *shape, const float *weights, float *packed) {
  const int is_filter = conv_is_filter(shape);
  for (long g = 0; g < shape->group_count; g++) {
    for (long c = 0; c < shape->channels_per_group;) {
      if (is_filter) {
        const long n = next_filter_block(shape->channels_per_group - c);
        packed = pack_filter(
            shape, weights + (g * shape->channels_per_group + c) * shape->tap_count, n, packed);
        c += n;
        continue;
      }
      const long n = next_block(shape->channels_per_group - c, shape->height);
      const float *w = weights + (g * shape->channels_per_group + c) * shape->tap_count;
      for (long t = 0; t < shape->tap_count; t++)
        for (long i = 0; i < n; i++) *packed++ = w[i * shape->tap_count + t];
      c += n;
    }
  }
}

static void level_forward(const conv_forward_job *job) {
  const conv_shape *shape = &job->shape;
  if (conv_is_filter(shape)) {
    filter_forward(job);
    return;
  }
  for (long g = 0; g < shape->group_count; g++) {
    for (long c = 0; c < shape->channels_per_group;) {
      const long n = next_block(shape->channels_per_group - c, shape->height);
      const long channel = g * shape->channels_per_group + c;
      blocks[n](job, shape->taps + g * shape->tap_count, job->weights + channel * shape->tap_count,
                channel);
      c += n;
    }
  }
}

// ---- convolution, backward for the weights ---------------------------------------------------

INLINE void weight_step(const int C, const int T, const float *in, const float *g,
                        const long *offset, const long *place, vec *acc, long n) {
  __asm__("" : "+r"(in));  // keeps one base register plus offsets instead of T running pointers
  if (FACTORS_FIRST(C, T)) {
    vec d[8];
    UNROLL for (int c = 0; c < C; c++) d[c] = n < LANES ? load_part(g + place[c], n) : load(g + place[c]);
    UNROLL for (int t = 0; t < T; t++) {
      vec v = load(in + offset[t]);
      UNROLL for (int c = 0; c < C; c++) acc[c * T + t] += d[c] * v;
    }
    return;
  }
  vec v[16];
  UNROLL for (int t = 0; t < T; t++) v[t] = load(in + offset[t]);
  UNROLL for (int c = 0; c < C; c++) {
    vec d = n < LANES ? load_part(g + place[c], n) : load(g + place[c]);
    UNROLL for (int t = 0; t < T; t++) acc[c * T + t] += d * v[t];
  }
}

INLINE void weight_tile(const int C, const int T, const conv_weight_job *job, const long *taps,
                        long channel, float *sums) {
  const long stride = job->shape.tap_count * LANES, width = job->shape.width;
  vec acc[32];
  UNROLL for (int c = 0; c < C; c++) {
    UNROLL for (int t = 0; t < T; t++) acc[c * T + t] = load(sums + c * stride + t * LANES);
  }
  long offset[16];
  UNROLL for (int t = 0; t < T; t++) offset[t] = taps[t];
  long place[8];
  UNROLL for (int c = 0; c < C; c++) place[c] = job->gradient_offsets[channel + c];
  for (long s = 0; s < job->samples; s++) {
    for (long y = 0; y < job->shape.height; y++) {
      const float *in = job->input + s * job->input_step + y * job->input_pitch;
      const float *g = job->gradient + s * job->gradient_step + y * job->gradient_pitch;
      long x = 0;
      for (; x + LANES <= width; x += LANES)
        weight_step(C, T, in + x, g + x, offset, place, acc, LANES);
      if (x < width) weight_step(C, T, in + x, g + x, offset, place, acc, width - x);
    }
  }
  UNROLL for (int c = 0; c < C; c++) {
    UNROLL for (int t = 0; t < T; t++) store(sums + c * stride + t * LANES, acc[c * T + t]);
  }
}

typedef void (*weight_function)(const conv_weight_job *, const long *, long, float *);
#define WEIGHT(C, T)                                                                           \
  _Static_assert((T) <= 16 && (C) * (T) <= 32, "tile too large");                              \
  static void weight_##C##_##T(const conv_weight_job *job, const long *taps, long channel,     \
                               float *sums) {                                                  \
    weight_tile(C, T, job, taps, channel, sums);                                               \
  }
WEIGHT_TILES(WEIGHT)
#undef WEIGHT
#define WEIGHT(C, T) [C][T] = weight_##C##_##T,
static const weight_function weight_functions[WEIGHT_CHANNELS + 1][WEIGHT_MAX_TAPS + 1] = {
    WEIGHT_TILES(WEIGHT)};
#undef WEIGHT

static void level_weight_sums(const conv_weight_job *job) {
  const conv_shape *shape = &job->shape;
  const long taps_per_channel = shape->tap_count;
  for (long g = 0; g < shape->group_count; g++) {
    const long *taps = shape->taps + g * taps_per_channel;
    for (long c = 0; c < shape->channels_per_group;) {
      const long left = shape->channels_per_group - c;
      const long n = left < WEIGHT_CHANNELS ? left : WEIGHT_CHANNELS;
      const long channel = g * shape->channels_per_group + c;
      const long most = WEIGHT_TAPS(n), parts = (taps_per_channel + most - 1) / most;
      for (long part = 0; part < parts; part++) {
        const long first = taps_per_channel * part / parts;
        const long count = taps_per_channel * (part + 1) / parts - first;
        weight_functions[n][count](job, taps + first, channel,
                                   job->sums + (channel * taps_per_channel + first) * LANES);
      }
      c += n;
    }
  }
}

// T taps x V vectors of output channels, summed over all columns of all samples.
INLINE void outer_tile(const int T, const int V, const conv_outer_job *job, const long *taps,
                       long channel, float *totals) {
  vec acc[32];
  UNROLL for (int i = 0; i < T * V; i++) acc[i] = (vec){0};
  long offset[32];
  UNROLL for (int t = 0; t < T; t++) offset[t] = taps[t];
  const float *g = job->gradient + channel;
  for (long s = 0; s < job->samples; s++) {
    const float *in = job->input + s * job->input_step;
    for (long x = 0; x < job->width; x++, in++, g += job->outputs) {
      vec d[2];
      UNROLL for (int i = 0; i < V; i++) d[i] = load(g + i * LANES);
      UNROLL for (int t = 0; t < T; t++) {
        vec v = splat(in[offset[t]]);
        UNROLL for (int i = 0; i < V; i++) acc[t * V + i] += v * d[i];
      }
    }
  }
  UNROLL for (int t = 0; t < T; t++) {
    UNROLL for (int i = 0; i < V; i++)
      store(totals + t * job->outputs + channel + i * LANES, acc[t * V + i]);
  }
}

// All taps for V vectors of output channels: tiles of MOST taps, then of one.
INLINE void outer_channels(const int MOST, const int V, const conv_outer_job *job, long channel) {
  long t = 0;
  for (; t + MOST <= job->tap_count; t += MOST)
    outer_tile(MOST, V, job, job->taps + t, channel, job->totals + t * job->outputs);
  for (; t + 2 <= job->tap_count; t += 2)
    outer_tile(2, V, job, job->taps + t, channel, job->totals + t * job->outputs);
  for (; t < job->tap_count; t++)
    outer_tile(1, V, job, job->taps + t, channel, job->totals + t * job->outputs);
}

static void level_weight_outer(const conv_outer_job *job) {
  long channel = 0;
  for (; channel + 2 * LANES <= job->outputs; channel += 2 * LANES)
    outer_channels(OUTER_TAPS, 2, job, channel);
  for (; channel + LANES <= job->outputs; channel += LANES)
    outer_channels(OUTER_TAPS, 1, job, channel);
}

#include "transpose_level.h"

INLINE void transpose_square(const float *source, long source_pitch, float *target,
                             long target_pitch) {
  vec a[LANES];
  UNROLL for (int i = 0; i < LANES; i++) a[i] = load(source + i * source_pitch);
  transpose_lanes(a);
  UNROLL for (int i = 0; i < LANES; i++) store(target + i * target_pitch, a[i]);
}

static void level_transpose(const float *source, long source_pitch, long rows, long width,
                            float *target, long target_pitch) {
  for (long r = 0; r < rows; r += LANES) {
    for (long x = 0; x < width; x += LANES) {
      if (r + LANES <= rows && x + LANES <= width) {
        transpose_square(source + r * source_pitch + x, source_pitch, target + x * target_pitch + r,
                         target_pitch);
        continue;
      }
      for (long i = r; i < r + LANES && i < rows; i++)
        for (long k = x; k < x + LANES && k < width; k++)
          target[k * target_pitch + i] = source[i * source_pitch + k];
    }
  }
}

static void level_reduce_lanes(const float *sums, long count, float *totals) {
  for (long i = 0; i < count; i++) totals[i] = lane_sum(load(sums + i * LANES));
}

#include "conv_level_passes.h"
