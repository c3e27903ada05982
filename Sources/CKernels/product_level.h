// Body of one instruction level of product.c, which defines LANES, ROWS (of a register tile of two vectors) and LEVEL(name).

#define PANEL (2 * LANES)

typedef float LEVEL(vec) __attribute__((vector_size(LANES * 4)));
typedef float LEVEL(uvec) __attribute__((vector_size(LANES * 4), aligned(4)));
#define vec LEVEL(vec)
#define LOAD(p) ((vec) * (const LEVEL(uvec) *)(p))
#define SPLAT(x) ((x) - (vec){0})  // a sum would cost an addition, for the sign of zero
#define STORE(p, v) (*(LEVEL(uvec) *)(p) = (v))

#include "transpose_level.h"

// R rows x P panels: c = start + sum over k of a[r * a_row + k * a_step] * b[k * b_step]; panels lie b_panel apart, rows of
// `start` (null for zeros) start_row. Only `rows` rows and `columns` columns of C exist.
INLINE void LEVEL(tile)(const int R, const int P, size_t k, const float *a, size_t a_row,
                        size_t a_step, const float *b, size_t b_step, size_t b_panel,
                        const float *start, size_t start_row, float *c, size_t ldc, size_t rows,
                        size_t columns) {
  vec sum[24];  // a fixed size, so that it is split into registers
  float edge[2 * PANEL];
  // One branch for a whole tile: one for each row would cost as much as several steps of k.
  const int is_whole = rows == (size_t)R && columns == P * PANEL;
  if (!start) {
    UNROLL for (int i = 0; i < 2 * P * R; i++) sum[i] = (vec){0};
  } else {
    UNROLL for (int r = 0; r < R; r++) {
      const float *from = start + r * start_row;
      if (!is_whole) {
        memset(edge, 0, sizeof edge);
        if ((size_t)r < rows) memcpy(edge, from, columns * sizeof(float));
        from = edge;
      }
      UNROLL for (int v = 0; v < 2 * P; v++) sum[2 * P * r + v] = LOAD(from + v * LANES);
    }
  }
  for (size_t i = 0; i < k; i++, b += b_step, a += a_step) {
    vec x[4];
    UNROLL for (int v = 0; v < 2 * P; v++) x[v] = LOAD(b + v / 2 * b_panel + v % 2 * LANES);
    UNROLL for (int r = 0; r < R; r++) {
      const vec s = SPLAT(a[r * a_row]);
      UNROLL for (int v = 0; v < 2 * P; v++) sum[2 * P * r + v] += s * x[v];
    }
  }
  if (is_whole) {
    UNROLL for (int i = 0; i < 2 * P * R; i++)
      STORE(c + i / (2 * P) * ldc + i % (2 * P) * LANES, sum[i]);
    return;
  }
  UNROLL for (int r = 0; r < R; r++) {
    if ((size_t)r >= rows) break;
    UNROLL for (int v = 0; v < 2 * P; v++) STORE(edge + v * LANES, sum[2 * P * r + v]);
    memcpy(c + r * ldc, edge, columns * sizeof(float));
  }
}

// Rows of A one float apart: packed tiles, and a transposed A as it lies.
static void LEVEL(close_rows)(size_t k, const float *a, size_t a_step, const float *b,
                              size_t b_step, const float *start, size_t start_row, float *c,
                              size_t ldc, size_t columns) {
  LEVEL(tile)(ROWS, 1, k, a, 1, a_step, b, b_step, 0, start, start_row, c, ldc, ROWS, columns);
}

// Rows of A as they lie.
static void LEVEL(apart_rows)(size_t k, const float *a, size_t lda, const float *b, size_t b_step,
                              const float *start, size_t start_row, float *c, size_t ldc,
                              size_t columns) {
  LEVEL(tile)(ROWS, 1, k, a, lda, 1, b, b_step, 0, start, start_row, c, ldc, ROWS, columns);
}

enum { LEVEL(THIRD) = ROWS / 3 };
#define THIRD LEVEL(THIRD)

// Rows of the next tile if `left` are left: never a whole tile followed by a third of one, which would wait for its sums.
INLINE size_t LEVEL(height)(size_t left) {
  return left > ROWS && left <= ROWS + THIRD ? 2 * THIRD : left < ROWS ? left : ROWS;
}

// The first of the rows behind the whole tiles.
INLINE size_t LEVEL(whole)(size_t rows) {
  const size_t rest = rows % ROWS, whole = rows - rest;
  return rest > 0 && rest <= THIRD && whole > 0 ? whole - ROWS : whole;
}

// A packed tile of less than ROWS rows: one, two or three thirds.
static void LEVEL(less_rows)(size_t rows, size_t k, const float *a, const float *b, size_t b_step,
                             const float *start, size_t start_row, float *c, size_t ldc,
                             size_t columns) {
#define TILE(R)   LEVEL(tile)(R, 1, k, a, 1, ROWS, b, b_step, 0, start, start_row, c, ldc, rows, columns)
  if (rows <= THIRD) TILE(THIRD);
  else if (rows <= 2 * THIRD) TILE(2 * THIRD);
  else TILE(ROWS);
#undef TILE
}

// One row: two panels at a time, for more sums than the latency of one needs.
static void LEVEL(one_row)(size_t n, size_t k, const float *a, const float *b, size_t b_step,
                           size_t b_panel, const float *start, float *c) {
  size_t j = 0;
  for (; j + PANEL < n; j += 2 * PANEL, b += 2 * b_panel)
    LEVEL(tile)(1, 2, k, a, 0, 1, b, b_step, b_panel, start ? start + j : 0, 0, c + j, 0, 1,
                n - j < 2 * PANEL ? n - j : 2 * PANEL);
  if (j < n)
    LEVEL(tile)(1, 1, k, a, 0, 1, b, b_step, 0, start ? start + j : 0, 0, c + j, 0, 1, n - j);
}

// A block of A, rows x depth, as tiles [k][ROWS], the last one padded with zeros. Vectors reach into the places that are
// written next, and at the end as far as LANES floats behind the block.
static void LEVEL(pack_rows)(size_t rows, size_t depth, const float *a, size_t a_row, size_t a_step,
                             float *packed) {
  for (size_t r = 0, n; r < rows; r += n, packed += ROWS * depth) {
    const float *p = a + r * a_row;
    size_t k = 0;
    n = LEVEL(height)(rows - r);
    if (a_row == 1) {
      for (; k < depth && n == ROWS; k++)
        memcpy(packed + k * ROWS, p + k * a_step, sizeof(float) * ROWS);
    } else if (a_step == 1) {
      for (; k + LANES <= depth; k += LANES) {
        vec x[LANES];
        UNROLL for (size_t i = 0; i < LANES; i++)
          x[i] = i < ROWS && i < n ? LOAD(p + i * a_row + k) : (vec){0};
        LEVEL(transpose_lanes)(x);
        UNROLL for (int i = 0; i < LANES; i++) STORE(packed + (k + i) * ROWS, x[i]);
      }
    }
    for (; k < depth; k++) {
      for (size_t i = 0; i < ROWS; i++)
        packed[k * ROWS + i] = i < n ? p[i * a_row + k * a_step] : 0;
    }
  }
}

// The same for a complex A stored [k, m]: `sign` of the imaginary parts.
static void LEVEL(pack_complex)(size_t rows, size_t depth, const float *a, size_t a_row,
                                size_t a_step, float sign, float *packed) {
  for (size_t r = 0, n; r < rows; r += n) {
    n = LEVEL(height)(rows - r);
    for (size_t k = 0; k < depth; k++) {
      const float *p = a + 2 * (r * a_row + k * a_step);
      for (size_t i = 0; i < ROWS; i++) {
        packed[i] = i < n ? p[2 * i * a_row] : 0;
        packed[ROWS + i] = i < n ? sign * p[2 * i * a_row + 1] : 0;
      }
      packed += 2 * ROWS;
    }
  }
}

// Fetches a share of the panel that comes next, as `from` to `to` of `all`: at once it would have to wait for memory.
INLINE void LEVEL(fetch)(const float *panel, size_t floats, size_t from, size_t to, size_t all) {
  for (size_t i = floats * from / all, end = floats * to / all; i < end; i += 16)
    __builtin_prefetch(panel + i, 0, 2);
}

// All panels of B, b_panel floats apart with rows b_step apart, for some rows of A. With in_place whole tiles of A are read
// as they lie, and `block` has the rows behind them, packed; else it has all of them.
static void LEVEL(block)(size_t m, size_t n, size_t depth, int in_place, const float *a,
                         size_t a_row, size_t a_step, const float *block, const float *b,
                         size_t b_step, size_t b_panel, const float *start, size_t start_row,
                         float *c, size_t ldc) {
  for (size_t j = 0; j < n; j += PANEL, b += b_panel) {
    const size_t columns = n - j < PANEL ? n - j : PANEL;
    const float *packed = block;
    for (size_t r = 0, rows; r < m; r += rows) {
      rows = LEVEL(height)(m - r);
      float *target = c + r * ldc + j;
      const float *from = start ? start + r * start_row + j : 0;
      if (j + PANEL < n && b_step == PANEL)
        LEVEL(fetch)(b + b_panel, depth * PANEL, r, r + rows, m);
      if (in_place && rows == ROWS && a_row == 1) {
        LEVEL(close_rows)(depth, a + r, a_step, b, b_step, from, start_row, target, ldc, columns);
      } else if (in_place && rows == ROWS) {
        LEVEL(apart_rows)(depth, a + r * a_row, a_row, b, b_step, from, start_row, target, ldc,
                          columns);
      } else {
        if (rows == ROWS)
          LEVEL(close_rows)(depth, packed, ROWS, b, b_step, from, start_row, target, ldc, columns);
        else
          LEVEL(less_rows)(rows, depth, packed, b, b_step, from, start_row, target, ldc, columns);
        packed += ROWS * depth;
      }
    }
  }
}

// C = start + A B in blocks: DEPTH of k, so that a panel of B stays in the first cache, and HEIGHT rows of A for the second.
// `values` floats make a number: 1 real, 2 complex. Panels of B lie b_panel floats apart with rows b_step apart.
static void LEVEL(product)(size_t m, size_t n, size_t k, const float *a, size_t lda, int operation,
                           const int values, const float *b, size_t b_step, size_t b_panel,
                           const float *start, size_t start_row, float *c, size_t ldc,
                           float *block) {
  enum { SMALL = 4096 };  // floats of A that stay in the first cache as they lie
  const int plain = !operation;
  const size_t columns = values * n, depth = DEPTH / (size_t)values;
  if (m == 1 && plain && k) {
    LEVEL(one_row)(columns, values * k, a, b, b_step, b_panel, start, c);
    return;
  }
  // A complex A that is not transposed is a real one of twice the columns.
  const size_t a_row = plain ? values * lda : 1, a_step = plain ? 1 : lda;
  for (size_t first = 0; first == 0 || first < k; first += depth) {
    const size_t part = k - first < depth ? k - first : depth;
    for (size_t r = 0; r < m; r += HEIGHT) {
      const size_t rows = m - r < HEIGHT ? m - r : HEIGHT, whole = LEVEL(whole)(rows);
      // Packing pays for the panels that follow, unless A lies well in the first cache.
      const size_t floats = values * part * rows;
      const int in_place = plain ? columns <= 2 * PANEL || floats <= SMALL ||
              (columns <= 4 * PANEL && floats <= 2 * SMALL)
          : values == 1 && floats <= SMALL;
      const float *p = a + values * (plain ? r * lda + first : r + first * lda);
      float *target = c + r * values * ldc;
      if (!plain && values == 2)
        LEVEL(pack_complex)(rows, part, p, 1, lda, operation & CSK_CONJUGATE ? -1 : 1, block);
      else if (in_place)
        LEVEL(pack_rows)(rows - whole, values * part, p + whole * a_row, a_row, a_step, block);
      else
        LEVEL(pack_rows)(rows, values * part, p, a_row, a_step, block);
      LEVEL(block)(rows, columns, values * part, in_place, p, a_row, a_step, block,
                   b + values * first * b_step, b_step, b_panel,
                   first ? target : start ? start + r * start_row : 0,
                   first ? values * ldc : start_row, target, values * ldc);
    }
  }
}

static void LEVEL(pack)(size_t k, size_t n, const float *b, size_t b_row, size_t b_column,
                        float *packed) {
  enum { CHUNK = 16 };  // of k: a transposition takes whole lines of the cache
  for (size_t j = 0; j < n; j += PANEL, b += PANEL * b_column) {
    const size_t columns = n - j < PANEL ? n - j : PANEL;
    for (size_t first = 0; first < k; first += CHUNK, packed += CHUNK * PANEL) {
      const size_t rows = k - first < CHUNK ? k - first : CHUNK;
      const float *p = b + first * b_row;
      if (b_column == 1 && columns == PANEL) {
        for (size_t i = 0; i < rows; i++)
          memcpy(packed + i * PANEL, p + i * b_row, sizeof(float) * PANEL);
      } else if (b_row == 1 && rows == CHUNK) {
        for (size_t x = 0; x < PANEL; x += LANES) {
          for (size_t i = 0; i < CHUNK; i += LANES) {
            vec square[LANES];
            UNROLL for (size_t q = 0; q < LANES; q++) {
              // As many streams as columns are more than the processor follows by itself.
              __builtin_prefetch(p + (x + q) * b_column + i + CHUNK);
              square[q] = x + q < columns ? LOAD(p + (x + q) * b_column + i) : (vec){0};
            }
            LEVEL(transpose_lanes)(square);
            UNROLL for (size_t q = 0; q < LANES; q++)
              STORE(packed + (i + q) * PANEL + x, square[q]);
          }
        }
      } else {
        for (size_t i = 0; i < rows; i++) {
          for (size_t x = 0; x < PANEL; x++)
            packed[i * PANEL + x] = x < columns ? p[x * b_column + i * b_row] : 0;
        }
      }
    }
    packed -= (k + CHUNK - 1) / CHUNK * CHUNK * PANEL - k * PANEL;
  }
}

static void LEVEL(pack_pairs)(size_t k, size_t n, const float *b, size_t b_row, size_t b_column,
                              float sign, float *packed) {
  for (size_t j = 0; j < n; j += LANES) {
    const size_t columns = n - j < LANES ? n - j : LANES;
    for (size_t i = 0; i < k; i++, packed += 2 * PANEL) {
      const float *row = b + 2 * (i * b_row + j * b_column);
      for (size_t x = 0; x < LANES; x++) {
        const float re = x < columns ? row[2 * x * b_column] : 0;
        const float im = x < columns ? sign * row[2 * x * b_column + 1] : 0;
        packed[2 * x] = re;
        packed[2 * x + 1] = im;
        packed[PANEL + 2 * x] = -im;
        packed[PANEL + 2 * x + 1] = re;
      }
    }
  }
}

// One row times B as it lies, four vectors of columns at a time.
INLINE void LEVEL(row)(const int V, size_t k, const float *a, const float *b, size_t ldb, float *c,
                       const int complex, int adding) {
  vec sum[4];
  UNROLL for (int v = 0; v < V; v++) sum[v] = adding ? LOAD(c + v * LANES) : (vec){0};
  if (complex) {
    vec sign;
    UNROLL for (int i = 0; i < LANES; i++) sign[i] = i % 2 ? 1 : -1;
    for (size_t i = 0; i < k; i++, b += 2 * ldb) {
      const vec re = SPLAT(a[2 * i]), im = sign * SPLAT(a[2 * i + 1]);
      UNROLL for (int v = 0; v < V; v++) {
        const vec x = LOAD(b + v * LANES);
        sum[v] += re * x;
        sum[v] += im * SWAP_PAIRS(x);
      }
    }
  } else {
    for (size_t i = 0; i < k; i++, b += ldb) {
      const vec s = SPLAT(a[i]);
      UNROLL for (int v = 0; v < V; v++) sum[v] += s * LOAD(b + v * LANES);
    }
  }
  UNROLL for (int v = 0; v < V; v++) STORE(c + v * LANES, sum[v]);
}

// The columns behind the last whole vector, number by number.
INLINE void LEVEL(row_end)(size_t from, size_t to, size_t k, const float *a, const float *b,
                           size_t ldb, float *c, const int complex, int adding) {
  for (size_t j = from; j < to; j += complex ? 2 : 1) {
    float re = adding ? c[j] : 0, im = complex && adding ? c[j + 1] : 0;
    for (size_t i = 0; i < k; i++) {
      if (complex) {
        const float *p = b + 2 * i * ldb + j;
        re += a[2 * i] * p[0];
        re += a[2 * i + 1] * -p[1];
        im += a[2 * i] * p[1];
        im += a[2 * i + 1] * p[0];
      } else {
        re += a[i] * b[i * ldb + j];
      }
    }
    c[j] = re;
    if (complex) c[j + 1] = im;
  }
}

static void LEVEL(few_rows)(size_t m, size_t n, size_t k, const float *a, size_t lda,
                            const float *b, size_t ldb, float *c, size_t ldc, const int complex,
                            int adding) {
  const size_t values = complex ? 2 : 1, columns = values * n;
  for (size_t r = 0; r < m; r++, a += values * lda, c += values * ldc) {
    size_t j = 0;
    for (; j + 4 * LANES <= columns; j += 4 * LANES)
      LEVEL(row)(4, k, a, b + j, ldb, c + j, complex, adding);
    for (; j + LANES <= columns; j += LANES)
      LEVEL(row)(1, k, a, b + j, ldb, c + j, complex, adding);
    LEVEL(row_end)(j, columns, k, a, b, ldb, c, complex, adding);
  }
}

#undef vec
#undef LOAD
#undef SPLAT
#undef STORE
#undef PANEL
#undef THIRD
#undef LANES
#undef ROWS
#undef LEVEL
#undef SWAP_PAIRS
