// Body of one instruction level of int8_kernels.c, which defines the vectors of LANES 32-bit or 2 LANES 16-bit integers.

// Up to four rows of activations share a row of weights that is widened once.
INLINE void LEVEL(few_rows)(const int R, size_t inputs, const int16_t *a, size_t lda,
                            const int8_t *w, int32_t *sums) {
  vec total[8];
  UNROLL for (int i = 0; i < 2 * R; i++) total[i] = ZERO;
  size_t k = 0;
  for (; k + 4 * LANES <= inputs; k += 4 * LANES) {
    UNROLL for (int half = 0; half < 2; half++) {
      const vec factor = WIDEN(w + k + 2 * LANES * half);
      UNROLL for (int r = 0; r < R; r++) {
        const vec x = LOAD(a + r * lda + k + 2 * LANES * half);
        total[2 * r + half] = ADD(total[2 * r + half], PAIRS(x, factor));
      }
    }
  }
  UNROLL for (int r = 0; r < R; r++) {
    int32_t sum = TOTAL(ADD(total[2 * r], total[2 * r + 1]));
    for (size_t i = k; i < inputs; i++) sum += (int32_t)a[r * lda + i] * w[i];
    sums[r] = sum;
  }
}

static void LEVEL(product)(size_t rows, size_t outputs, size_t inputs, const int16_t *a,
                           const int8_t *w, const float *row_scales, const float *scales,
                           const float *bias, float *y, size_t ldy) {
  for (size_t o = 0; o < outputs; o++) {
    for (size_t row = 0; row < rows;) {
      const int16_t *x = a + row * inputs;
      int32_t sums[4];
      const size_t at_once = rows - row >= 4 ? 4 : 1;
      if (at_once == 4) LEVEL(few_rows)(4, inputs, x, inputs, w + o * inputs, sums);
      else LEVEL(few_rows)(1, inputs, x, inputs, w + o * inputs, sums);
      for (size_t r = 0; r < at_once; r++) {
        const float scale = row_scales[row + r] * scales[o], product = scale * (float)sums[r];
        y[(row + r) * ldy + o] = bias ? bias[o] + product : product;
      }
      row += at_once;
    }
  }
}

// A pair of channels at one tap is one 32-bit lane of both factors.
static void LEVEL(convolve_row)(const csk_int8_convolution *job, size_t output, size_t row,
                                int32_t *sums) {
  enum { VECTORS = CSK_INT8_COLUMNS / LANES };
  const size_t rows = job->height + job->kernel_rows - 1;
  const size_t group = output / job->group_outputs, taps = job->kernel_rows * job->kernel_columns;
  const int16_t *weights = job->weights + output * job->pairs * taps * 2;
  const int16_t *input = job->input + group * job->pairs * rows * job->pitch * 2;
  for (size_t x = 0; x < job->width; x += CSK_INT8_COLUMNS) {
    vec total[VECTORS];
    UNROLL for (int v = 0; v < VECTORS; v++) total[v] = ZERO;
    const int16_t *w = weights;
    for (size_t pair = 0; pair < job->pairs; pair++) {
      for (size_t i = 0; i < job->kernel_rows; i++) {
        const int16_t *line = input + ((pair * rows + row + i) * job->pitch + x) * 2;
        for (size_t j = 0; j < job->kernel_columns; j++, w += 2, line += 2) {
          int32_t both;
          memcpy(&both, w, sizeof both);
          const vec factor = SPLAT(both);
          UNROLL for (int v = 0; v < VECTORS; v++)
            total[v] = ADD(total[v], PAIRS(LOAD(line + 2 * LANES * v), factor));
        }
      }
    }
    UNROLL for (int v = 0; v < VECTORS; v++) STORE(sums + x + LANES * v, total[v]);
  }
}

#undef LEVEL
#undef LANES
#undef vec
#undef LOAD
#undef STORE
#undef ZERO
#undef SPLAT
#undef WIDEN
#undef PAIRS
#undef ADD
#undef TOTAL
