// Body of one instruction level of product.c, which defines LANES, ROWS (of a register tile of two vectors) and LEVEL(name).

#define PANEL (2 * LANES)

typedef float LEVEL(vec) __attribute__((vector_size(LANES * 4)));
typedef float LEVEL(uvec) __attribute__((vector_size(LANES * 4), aligned(4)));
#define vec LEVEL(vec)
#define LOAD(p) ((vec) * (const LEVEL(uvec) *)(p))
#define SPLAT(x) ((x) - (vec){0})  // a sum would cost an addition, for the sign of zero
#define STORE(p, v) (*(LEVEL(uvec) *)(p) = (v))

// R rows x one panel: c (+)= sum over k of a[r * a_row + k * a_step] * b[k]. Only `rows` rows and `columns` columns of C exist.
INLINE void LEVEL(tile)(const int R, size_t k, const float *a, size_t a_row, size_t a_step,
                        const float *b, float *c, size_t ldc, size_t rows, size_t columns,
                        int adding) {
  vec sum[24];  // a fixed size, so that it is split into registers
  float edge[PANEL];
  UNROLL for (int r = 0; r < R; r++) {
    if (!adding || (size_t)r >= rows) {
      sum[2 * r] = sum[2 * r + 1] = (vec){0};
    } else if (columns == PANEL) {
      sum[2 * r] = LOAD(c + r * ldc);
      sum[2 * r + 1] = LOAD(c + r * ldc + LANES);
    } else {
      memset(edge, 0, sizeof edge);
      memcpy(edge, c + r * ldc, columns * sizeof(float));
      sum[2 * r] = LOAD(edge);
      sum[2 * r + 1] = LOAD(edge + LANES);
    }
  }
  for (size_t i = 0; i < k; i++, b += PANEL, a += a_step) {
    const vec b0 = LOAD(b), b1 = LOAD(b + LANES);
    UNROLL for (int r = 0; r < R; r++) {
      const vec s = SPLAT(a[r * a_row]);
      sum[2 * r] += s * b0;
      sum[2 * r + 1] += s * b1;
    }
  }
  UNROLL for (int r = 0; r < R; r++) {
    if ((size_t)r >= rows) break;
    if (columns == PANEL) {
      STORE(c + r * ldc, sum[2 * r]);
      STORE(c + r * ldc + LANES, sum[2 * r + 1]);
    } else {
      STORE(edge, sum[2 * r]);
      STORE(edge + LANES, sum[2 * r + 1]);
      memcpy(c + r * ldc, edge, columns * sizeof(float));
    }
  }
}

static void LEVEL(packed_tile)(size_t k, const float *a, const float *b, float *c, size_t ldc,
                               size_t rows, size_t columns, int adding) {
  LEVEL(tile)(ROWS, k, a, 1, ROWS, b, c, ldc, rows, columns, adding);
}

// Rows of A as they lie: whole tiles, then single rows.
static void LEVEL(plain_rows)(size_t m, size_t k, const float *a, size_t lda, const float *b,
                              float *c, size_t ldc, size_t columns, int adding) {
  size_t r = 0;
  for (; r + ROWS <= m; r += ROWS)
    LEVEL(tile)(ROWS, k, a + r * lda, lda, 1, b, c + r * ldc, ldc, ROWS, columns, adding);
  for (; r < m; r++)
    LEVEL(tile)(1, k, a + r * lda, lda, 1, b, c + r * ldc, ldc, 1, columns, adding);
}

// A block of A, rows x depth, as tiles [k][ROWS], the last one padded with zeros.
static void LEVEL(pack_rows)(size_t rows, size_t depth, const float *a, size_t a_row, size_t a_step,
                             float *packed) {
  for (size_t r = 0; r < rows; r += ROWS, packed += ROWS * depth) {
    const size_t n = rows - r < ROWS ? rows - r : ROWS;
    const float *p = a + r * a_row;
    if (n < ROWS) memset(packed, 0, sizeof(float) * ROWS * depth);
    if (a_row == 1) {
      for (size_t k = 0; k < depth; k++)
        for (size_t i = 0; i < n; i++) packed[k * ROWS + i] = p[k * a_step + i];
    } else {
      for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < depth; k++) packed[k * ROWS + i] = p[i * a_row + k * a_step];
    }
  }
}

// The same for a complex A stored [k, m]: `sign` of the imaginary parts.
static void LEVEL(pack_complex)(size_t rows, size_t depth, const float *a, size_t a_row,
                                size_t a_step, float sign, float *packed) {
  for (size_t r = 0; r < rows; r += ROWS) {
    const size_t n = rows - r < ROWS ? rows - r : ROWS;
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

// All panels of B for one packed block of A.
static void LEVEL(block)(size_t m, size_t n, size_t k, size_t first, size_t depth,
                         const float *block, const float *packed, float *c, size_t ldc,
                         int adding) {
  for (size_t j = 0; j < n; j += PANEL) {
    const float *b = packed + j * k + first * PANEL;
    const size_t columns = n - j < PANEL ? n - j : PANEL;
    for (size_t r = 0; r < m; r += ROWS)
      LEVEL(packed_tile)(depth, block + r * depth, b, c + r * ldc + j, ldc,
                         m - r < ROWS ? m - r : ROWS, columns, adding);
  }
}

// C (+)= A B in blocks: DEPTH of k, so that a panel of B stays in the first cache, and HEIGHT rows of A for the second.
// `values` floats make a number: 1 real, 2 complex.
static void LEVEL(product)(size_t m, size_t n, size_t k, const float *a, size_t lda, int operation,
                           const int values, const float *packed, float *c, size_t ldc, int adding,
                           float *block) {
  const int plain = !operation;
  const size_t a_row = plain ? lda : 1, a_step = plain ? 1 : lda;
  const size_t columns = values * n, whole = values * k;
  if (!k && !adding) {
    for (size_t r = 0; r < m; r++) memset(c + r * values * ldc, 0, columns * sizeof(float));
    return;
  }
  const size_t depth = DEPTH / (size_t)values;
  for (size_t first = 0; first < k; first += depth) {
    const size_t part = k - first < depth ? k - first : depth;
    const int add = adding || first > 0;
    if (plain && columns <= 2 * PANEL) {
      // Too few panels to pay for packing A.
      for (size_t j = 0; j < columns; j += PANEL)
        LEVEL(plain_rows)(m, values * part, a + values * first, values * lda,
                          packed + j * whole + values * first * PANEL, c + j, values * ldc,
                          columns - j < PANEL ? columns - j : PANEL, add);
      continue;
    }
    for (size_t r = 0; r < m; r += HEIGHT) {
      const size_t rows = m - r < HEIGHT ? m - r : HEIGHT;
      const float *p = a + values * (r * a_row + first * a_step);
      if (values == 1)
        LEVEL(pack_rows)(rows, part, p, a_row, a_step, block);
      else if (plain)
        LEVEL(pack_rows)(rows, 2 * part, p, 2 * lda, 1, block);
      else
        LEVEL(pack_complex)(rows, part, p, a_row, a_step, operation & CSK_CONJUGATE ? -1 : 1, block);
      LEVEL(block)(rows, columns, whole, values * first, values * part, block, packed,
                   c + r * values * ldc, values * ldc, add);
    }
  }
}

static void LEVEL(pack)(size_t k, size_t n, const float *b, size_t b_row, size_t b_column,
                        float *packed) {
  enum { CHUNK = 32 };  // of k, so that a transposition stays in the first cache
  for (size_t j = 0; j < n; j += PANEL, b += PANEL * b_column) {
    const size_t columns = n - j < PANEL ? n - j : PANEL;
    for (size_t first = 0; first < k; first += CHUNK) {
      const size_t rows = k - first < CHUNK ? k - first : CHUNK;
      const float *p = b + first * b_row;
      if (columns < PANEL) memset(packed, 0, sizeof(float) * PANEL * rows);
      if (b_column == 1) {
        for (size_t i = 0; i < rows; i++)
          memcpy(packed + i * PANEL, p + i * b_row, sizeof(float) * columns);
      } else {
        for (size_t x = 0; x < columns; x++)
          for (size_t i = 0; i < rows; i++)
            packed[i * PANEL + x] = p[x * b_column + i * b_row];
      }
      packed += PANEL * rows;
    }
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
#undef LANES
#undef ROWS
#undef LEVEL
#undef SWAP_PAIRS
