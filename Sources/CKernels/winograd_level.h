// Forward convolution with three kernel rows by minimal filtering along the columns, F(4, 3): four rows of the output from
// six products instead of twelve. Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms
// for Convolutional Neural Networks, 2016 (points 0, 1, -1, 2, -2).
//
// Every output is the same chain of operations at each place, so that it depends neither on tiles nor on lanes.

enum { FILTER_PRODUCTS = CONV_FILTER_PRODUCTS, FILTER_ROWS = CONV_FILTER_ROWS };
enum { FILTER_MAX_PITCH = CONV_FILTER_WIDTH + CONV_MAX_LANES };

// Transformed rows: sums[product][input][column], from the first kernel column on.
typedef struct {
  const conv_forward_job *job;
  float *sums;
  long inputs;
  long pitch;  // floats between inputs
  long step;   // floats between products
} filter_rows;

// B'd of six rows of each input channel.
INLINE void transform_rows(const filter_rows *rows, const long *taps, const float *in) {
  const long pitch = rows->job->input_pitch, step = rows->step;
  const long taps_per_input = rows->job->shape.tap_count / rows->inputs;
  for (long c = 0; c < rows->inputs; c++) {
    const float *p = in + taps[c * taps_per_input];
    float *row = rows->sums + c * rows->pitch;
    for (long x = 0; x < rows->pitch; x += LANES) {
      const vec d0 = load(p + x), d1 = load(p + x + pitch), d2 = load(p + x + 2 * pitch);
      const vec d3 = load(p + x + 3 * pitch), d4 = load(p + x + 4 * pitch);
      const vec d5 = load(p + x + 5 * pitch);
      const vec even = d4 - 4 * d2, odd = d3 - 4 * d1;
      const vec outer = d4 - d2, inner = 2 * (d3 - d1);
      const vec last = d5 - 5 * d3;
      const vec first = d4 - 5 * d2;
      store(row + x, 4 * d0 + first);
      store(row + x + step, even + odd);
      store(row + x + 2 * step, even - odd);
      store(row + x + 3 * step, outer + inner);
      store(row + x + 4 * step, outer - inner);
      store(row + x + 5 * step, 4 * d1 + last);
    }
  }
}

// C output channels x V vectors of four rows; K of the products are summed at once. COLUMNS of the kernel are known to
// the compiler, or 0.
INLINE void filter_tile(const int C, const int V, const int K, const int COLUMNS, const int PART,
                        const filter_rows *rows, const float *w, long channel, long y, long x,
                        long n) {
  const long columns = COLUMNS ? COLUMNS : rows->job->shape.kernel_columns;
  vec product[FILTER_PRODUCTS][16];
  for (int k = 0; k < FILTER_PRODUCTS; k += K) {
    vec sum[16];
    UNROLL for (int i = 0; i < K * C * V; i++) sum[i] = (vec){0};
    const float *p = rows->sums + k * rows->step + x;
    for (long i = 0; i < rows->inputs; i++, p += rows->pitch) {
      for (long t = 0; t < columns; t++) {
        UNROLL for (int j = 0; j < K; j++, w += C) {
          vec v[4];
          UNROLL for (int q = 0; q < V; q++) v[q] = load(p + j * rows->step + t + q * LANES);
          UNROLL for (int c = 0; c < C; c++) {
            const vec s = splat(w[c]);
            UNROLL for (int q = 0; q < V; q++) sum[(j * C + c) * V + q] += s * v[q];
          }
        }
      }
    }
    UNROLL for (int j = 0; j < K; j++) {
      UNROLL for (int i = 0; i < C * V; i++) product[k + j][i] = sum[j * C * V + i];
    }
  }
  UNROLL for (int c = 0; c < C; c++) {
    const vec bias = splat(rows->job->bias[channel + c]);
    vec out[FILTER_ROWS * 4];
    UNROLL for (int q = 0; q < V; q++) {
      const int i = c * V + q;
      const vec a = product[1][i] + product[2][i], b = product[1][i] - product[2][i];
      const vec d = product[3][i] + product[4][i], e = product[3][i] - product[4][i];
      const vec even = bias + a, odd = bias + b;
      out[q] = even + (product[0][i] + d);
      out[V + q] = odd + 2 * e;
      out[2 * V + q] = even + 4 * d;
      out[3 * V + q] = (odd + product[5][i]) + 8 * e;
    }
    finish_any(1, FILTER_ROWS, V, PART, rows->job, out, channel + c, y, x, n);
  }
}

INLINE void filter_block(const int C, const int V, const int K, const int COLUMNS,
                         const filter_rows *rows, const float *w, long channel, long y) {
  const long width = rows->job->shape.width;
  long x = 0;
  for (; x + V * LANES <= width; x += V * LANES)
    filter_tile(C, V, K, COLUMNS, 0, rows, w, channel, y, x, LANES);
  if (V > 1) {
    for (; x + LANES <= width; x += LANES)
      filter_tile(C, 1, K, COLUMNS, 0, rows, w, channel, y, x, LANES);
  }
  if (x < width) filter_tile(C, 1, K, COLUMNS, 1, rows, w, channel, y, x, width - x);
}

typedef void (*filter_function)(const filter_rows *, const float *, long, long);
#define FILTER(C)                                                                               \
  _Static_assert(FILTER_WIDE(C) <= 4 && (C) * FILTER_WIDE(C) * FILTER_AT_ONCE(C) <= 16 &&       \
                     FILTER_PRODUCTS % FILTER_AT_ONCE(C) == 0, "tile too large");               \
  static void filter_##C(const filter_rows *rows, const float *w, long channel, long y) {       \
    const int V = FILTER_WIDE(C), K = FILTER_AT_ONCE(C);                                        \
    if (rows->job->shape.kernel_columns == 3) filter_block(C, V, K, 3, rows, w, channel, y);    \
    else filter_block(C, V, K, 0, rows, w, channel, y);                                         \
  }
FILTER(1)
FILTER(2)
FILTER(3)
FILTER(4)
#if MAX_BLOCK >= 8
FILTER(5)
FILTER(6)
FILTER(7)
FILTER(8)
#endif
static const filter_function filters[MAX_BLOCK + 1] = {
    0,        filter_1, filter_2, filter_3, filter_4,
#if MAX_BLOCK >= 8
    filter_5, filter_6, filter_7, filter_8,
#endif
};

static long next_filter_block(long remaining) {
  return remaining % MAX_BLOCK ? remaining % MAX_BLOCK : MAX_BLOCK;
}

static int filter_products_at_once(long channels) {
  static const int at_once[MAX_BLOCK + 1] = {
      0, FILTER_AT_ONCE(1), FILTER_AT_ONCE(2), FILTER_AT_ONCE(3), FILTER_AT_ONCE(4),
#if MAX_BLOCK >= 8
      FILTER_AT_ONCE(5), FILTER_AT_ONCE(6), FILTER_AT_ONCE(7), FILTER_AT_ONCE(8),
#endif
  };
  return at_once[channels];
}

// G g of one column of a kernel.
static void transform_kernel(const float *g, long columns, float *products) {
  const double a = g[0], b = g[columns], c = g[2 * columns];
  products[0] = (float)(a / 4);
  products[1] = (float)(-(a + b + c) / 6);
  products[2] = (float)(-(a - b + c) / 6);
  products[3] = (float)((a + 2 * b + 4 * c) / 24);
  products[4] = (float)((a - 2 * b + 4 * c) / 24);
  products[5] = (float)c;
}

// [block][products at once][input][column][product][channel]
static float *pack_filter(const conv_shape *shape, const float *weights, long count, float *packed) {
  const long columns = shape->kernel_columns, area = CONV_FILTER_TAPS * columns;
  const long places = shape->tap_count / CONV_FILTER_TAPS, at_once = filter_products_at_once(count);
  for (long c = 0; c < count; c++) {
    for (long place = 0; place < places; place++) {
      float products[FILTER_PRODUCTS];
      transform_kernel(weights + c * shape->tap_count + place / columns * area + place % columns,
                       columns, products);
      for (long k = 0; k < FILTER_PRODUCTS; k++) {
        const long group = k / at_once * places + place;
        packed[(group * at_once + k % at_once) * count + c] = products[k];
      }
    }
  }
  return packed + FILTER_PRODUCTS * places * count;
}

static void filter_forward(const conv_forward_job *job) {
  const conv_shape *shape = &job->shape;
  float sums[FILTER_PRODUCTS * CONV_FILTER_INPUTS * FILTER_MAX_PITCH] __attribute__((aligned(64)));
  filter_rows rows = {job, sums, shape->tap_count / (CONV_FILTER_TAPS * shape->kernel_columns), 0, 0};
  rows.pitch = (shape->width + LANES - 1) / LANES * LANES +
               (shape->kernel_columns + LANES - 2) / LANES * LANES;
  rows.step = rows.inputs * rows.pitch;
  for (long g = 0; g < shape->group_count; g++) {
    for (long y = 0; y < shape->height; y += FILTER_ROWS) {
      transform_rows(&rows, shape->taps + g * shape->tap_count, job->input + y * job->input_pitch);
      for (long c = 0; c < shape->channels_per_group;) {
        const long n = next_filter_block(shape->channels_per_group - c);
        const long channel = g * shape->channels_per_group + c;
        filters[n](&rows, job->weights + channel * conv_packed_taps(shape), channel, y);
        c += n;
      }
    }
  }
}
