// Element-wise passes and optimiser of one instruction level; included by
// conv_level.h.

// Calls BODY(x, n) for each vector of a row; n < LANES only for the last one.
#define EACH_VECTOR(width, BODY)                                  \
  do {                                                            \
    long x_ = 0;                                                  \
    for (; x_ + LANES <= (width); x_ += LANES) BODY(x_, LANES);   \
    if (x_ < (width)) BODY(x_, (width) - x_);                     \
  } while (0)

INLINE vec fetch(const float *p, long n) { return n == LANES ? load(p) : load_part(p, n); }
INLINE void put(float *p, vec v, long n) {
  if (n == LANES) store(p, v);
  else store_part(p, v, n);
}

// Sums that reach results have sixteen lanes in all, of as many vectors as the level needs: the same bits for any level with
// fused multiply-adds.
enum { PARTS = 16 / LANES };

// What is left of a row, at most a vector, zeros behind it.
INLINE vec load_rest(const float *p, long n) {
  return n >= LANES ? load(p) : load_part(p, n > 0 ? n : 0);
}

// Planes follow one another in memory but the processor's own prefetching stops at the page's end.
enum { AHEAD = 1024 };
INLINE void prefetch_row(const float *row, long width) {
  for (long x = 0; x < width; x += 16) __builtin_prefetch(row + AHEAD + x);
}

static void level_stage(const plane_job *job) {
  const vec scale = splat(job->scale), shift = splat(job->shift), slope = splat(job->slope);
  for (long y = 0; y < job->height; y++) {
    const float *s = job->source + y * job->source_pitch;
    float *t = job->target + y * job->target_pitch;
    prefetch_row(s, job->width);
#define BODY(x, n) put(t + x, rectify(fetch(s + x, n) * scale + shift, slope), n)
    EACH_VECTOR(job->width, BODY);
#undef BODY
  }
}

static void level_stage_add(const plane_job *job, float sign) {
  const vec scale = splat(job->scale), shift = splat(job->shift), slope = splat(job->slope);
  const vec factor = splat(sign);
  for (long y = 0; y < job->height; y++) {
    const float *s = job->source + y * job->source_pitch;
    float *t = job->target + y * job->target_pitch;
#define BODY(x, n)                                                                       \
  put(t + x, fetch(t + x, n) + factor * rectify(fetch(s + x, n) * scale + shift, slope), n)
    EACH_VECTOR(job->width, BODY);
#undef BODY
  }
}

static void level_stage_gradient(const plane_job *job, const float *z, float a, float b, float c) {
  const vec va = splat(a), vb = splat(b), vc = splat(c);
  for (long y = 0; y < job->height; y++) {
    const float *g = job->source + y * job->source_pitch;
    const float *zr = z + y * job->source_pitch;
    float *t = job->target + y * job->target_pitch;
    prefetch_row(g, job->width);
    prefetch_row(zr, job->width);
#define BODY(x, n) put(t + x, fetch(g + x, n) * va + (fetch(zr + x, n) * vb + vc), n)
    EACH_VECTOR(job->width, BODY);
#undef BODY
  }
}

// Lane by lane, of vectors that make sixteen lanes together.
INLINE double sixteen_sum(const vec *v) {
  double s = 0;
  UNROLL for (int p = 0; p < PARTS; p++) {
    UNROLL for (int k = 0; k < LANES; k++) s += v[p][k];
  }
  return s;
}

// The sum of four times sixteen partial sums, in pairs.
INLINE double four_sums(vec (*s)[PARTS]) {
  vec all[PARTS];
  UNROLL for (int p = 0; p < PARTS; p++) all[p] = (s[0][p] + s[1][p]) + (s[2][p] + s[3][p]);
  return sixteen_sum(all);
}

static void level_moments(const float *values, long n, double *sum, double *squares) {
  // Four sums at a time, or each addition would wait for the one before; of sixteen lanes each, whatever the level.
  enum { STEP = 4 * 16 };
  vec s[4][PARTS] = {{{0}}}, q[4][PARTS] = {{{0}}};
  long x = 0;
  for (; x + STEP <= n; x += STEP) {
    UNROLL for (int i = 0; i < 4; i++) {
      UNROLL for (int p = 0; p < PARTS; p++) s[i][p] += load(values + x + 16 * i + p * LANES);
    }
  }
  for (; x + 16 <= n; x += 16) {
    UNROLL for (int p = 0; p < PARTS; p++) s[0][p] += load(values + x + p * LANES);
  }
  UNROLL for (int p = 0; p < PARTS; p++)
    s[1][p] += load_rest(values + x + p * LANES, n - x - p * LANES);
  *sum = four_sums(s);
  const vec mean = splat((float)(*sum / (double)n));
  for (x = 0; x + STEP <= n; x += STEP) {
    UNROLL for (int i = 0; i < 4; i++) {
      UNROLL for (int p = 0; p < PARTS; p++) {
        vec d = load(values + x + 16 * i + p * LANES) - mean;
        q[i][p] += d * d;
      }
    }
  }
  for (; x + 16 <= n; x += 16) {
    UNROLL for (int p = 0; p < PARTS; p++) {
      vec d = load(values + x + p * LANES) - mean;
      q[0][p] += d * d;
    }
  }
  double rest = 0;
  for (; x < n; x++) rest += (values[x] - mean[0]) * (values[x] - mean[0]);
  *squares = four_sums(q) + rest;
}

static void level_backward(float *gradient, const float *z, long n, float scale, float shift,
                           float mean, float slope, backward_sums *sums) {
  const vec vscale = splat(scale), vshift = splat(shift), vmean = splat(mean);
  const vec vslope = splat(slope), zero = {0};
  vec sg = {0}, sc = {0}, ss = {0};
#define BODY(x, k)                                                    \
  do {                                                                \
    vec d = fetch(gradient + x, k), v = fetch(z + x, k);              \
    vec u = v * vscale + vshift;                                      \
    vec g = select(u > 0, d, d * vslope);                             \
    sg += g;                                                          \
    sc += g * (v - vmean);                                            \
    ss += select(u > 0, zero, d * u);                                 \
    put(gradient + x, g, k);                                          \
  } while (0)
  EACH_VECTOR(n, BODY);
#undef BODY
  sums->gradient += lane_sum_double(sg);
  sums->gradient_centred += lane_sum_double(sc);
  sums->slope += lane_sum_double(ss);
}

// exp by 2^k * p(r), |r| <= 1/2 in units of ln 2; arguments clamp to the range of Float.
INLINE vec exponential(vec x) {
  vec t = x * splat(1.44269504f);
  t = select(t < -126, splat(-126), t);
  t = select(t > 127, splat(127), t);
  const vec magic = splat(12582912);
  vec m = t + magic, r = t - (m - magic);
  vec p = splat(1.535336188e-4f);
  p = p * r + splat(1.339887440e-3f);
  p = p * r + splat(9.618437358e-3f);
  p = p * r + splat(5.550332471e-2f);
  p = p * r + splat(2.402264791e-1f);
  p = p * r + splat(6.931472029e-1f);
  p = p * r + splat(1);
  ivec k = ((ivec)m - (0x4B400000 - 127)) << 23;
  return p * (vec)k;
}

static void level_sigmoid(const float *x, float *y, long n) {
#define BODY(i, k) put(y + i, 1 / (1 + exponential(-fetch(x + i, k))), k)
  EACH_VECTOR(n, BODY);
#undef BODY
}

static void level_tanh(const float *x, float *y, long n) {
  // Near zero 1 - 2 / (e + 1) cancels, so a short odd series takes over.
#define BODY(i, k)                                                                               \
  do {                                                                                           \
    vec v = fetch(x + i, k), s = v * v;                                                          \
    vec far = 1 - 2 / (exponential(v + v) + 1);                                                  \
    vec near = v * (1 + s * (-0.333333333f + s * (0.133333333f +                                 \
        s * (-0.0539682540f + s * 0.0218694885f))));                                             \
    put(y + i, select(s < 0.0625f, near, far), k);                                               \
  } while (0)
  EACH_VECTOR(n, BODY);
#undef BODY
}

// The tail Φ(-a) of the normal distribution from its density's shape e = exp(-a² / 2): their quotient is a polynomial in
// 1 / (1 + 0.3 a), fitted over 0 to 13.5, where e ends as a normal Float, with a relative error of 1.3e-7.
INLINE vec normal_tail(vec a, vec e) {
  vec t = 1 / (1 + a * splat(0.3f));
  vec p = splat(0.0359317549f);
  p = p * t + splat(-0.158276081f);
  p = p * t + splat(0.208206728f);
  p = p * t + splat(-0.0553939454f);
  p = p * t + splat(0.129469246f);
  p = p * t + splat(0.0996374786f);
  p = p * t + splat(0.120798357f);
  p = p * t + splat(0.119626388f);
  return e * (p * t);
}

static void level_gelu(const float *x, float *y, long n) {
#define BODY(i, k)                                                                    \
  do {                                                                                \
    vec v = fetch(x + i, k), a = select(v < 0, -v, v);                                \
    vec tail = normal_tail(a, exponential(v * v * splat(-0.5f)));                     \
    put(y + i, v * select(v < 0, tail, 1 - tail), k);                                 \
  } while (0)
  EACH_VECTOR(n, BODY);
#undef BODY
}

static void level_gelu_gradient(const float *x, const float *gradient, float *target, long n) {
#define BODY(i, k)                                                                    \
  do {                                                                                \
    vec v = fetch(x + i, k), a = select(v < 0, -v, v);                                \
    vec e = exponential(v * v * splat(-0.5f)), tail = normal_tail(a, e);              \
    vec slope = select(v < 0, tail, 1 - tail) + v * e * splat(0.398942280f);          \
    put(target + i, fetch(gradient + i, k) * slope, k);                               \
  } while (0)
  EACH_VECTOR(n, BODY);
#undef BODY
}

// Sixteen partial sums, then the rest one by one: the same bits for any number of lanes.
static float level_exp_sum(const float *x, float *y, long n, float offset) {
  vec s[PARTS];
  UNROLL for (int p = 0; p < PARTS; p++) s[p] = (vec){0};
  const vec shift = splat(offset);
  long i = 0;
  for (; i + 16 <= n; i += 16) {
    UNROLL for (int p = 0; p < PARTS; p++) {
      vec e = exponential(load(x + i + p * LANES) - shift);
      store(y + i + p * LANES, e);
      s[p] += e;
    }
  }
  float sum = 0;
  UNROLL for (int p = 0; p < PARTS; p++) {
    UNROLL for (int k = 0; k < LANES; k++) sum += s[p][k];
  }
  for (; i < n; i += LANES) {
    const long count = n - i < LANES ? n - i : LANES;
    vec e = exponential(load_part(x + i, count) - shift);
    store_part(y + i, e, count);
    for (long k = 0; k < count; k++) sum += e[k];
  }
  return sum;
}

static void level_axpy(float a, const float *x, float *y, long n) {
  const vec va = splat(a);
#define BODY(i, k) put(y + i, fetch(y + i, k) + va * fetch(x + i, k), k)
  EACH_VECTOR(n, BODY);
#undef BODY
}

static float level_dot(const float *x, const float *y, long n) {
  vec s[PARTS] = {{0}};
  long i = 0;
  for (; i + 16 <= n; i += 16) {
    UNROLL for (int p = 0; p < PARTS; p++) s[p] += load(x + i + p * LANES) * load(y + i + p * LANES);
  }
  UNROLL for (int p = 0; p < PARTS; p++) {
    const long from = i + p * LANES;
    s[p] += load_rest(x + from, n - from) * load_rest(y + from, n - from);
  }
  float sum = 0;
  UNROLL for (int p = 0; p < PARTS; p++) {
    UNROLL for (int k = 0; k < LANES; k++) sum += s[p][k];
  }
  return sum;
}

static void level_dot_rows(const float *x, const float *rows, long n, long count, long pitch,
                           float *sums) {
  // Four rows at a time: their sums do not wait for one another.
  for (long r = 0; r < count; r += 4) {
    const long left = count - r < 4 ? count - r : 4;
    const float *row[4];
    UNROLL for (int q = 0; q < 4; q++) row[q] = rows + (r + (q < left ? q : 0)) * pitch;
    vec s[4] = {{0}};
#define BODY(i, k)                                                        \
  do {                                                                    \
    vec v = fetch(x + i, k);                                              \
    UNROLL for (int q = 0; q < 4; q++) s[q] += v * fetch(row[q] + i, k);  \
  } while (0)
    EACH_VECTOR(n, BODY);
#undef BODY
    for (long q = 0; q < left; q++) sums[r + q] += lane_sum_halves(s[q]);
  }
}

static double level_squared_error(const float *y, const float *target, long n, float factor,
                                  float *gradient) {
  vec s = {0};
  const vec scale = splat(factor);
#define BODY(i, k)                                 \
  do {                                             \
    vec d = fetch(y + i, k) - fetch(target + i, k); \
    s += d * d;                                    \
    put(gradient + i, d * scale, k);               \
  } while (0)
  EACH_VECTOR(n, BODY);
#undef BODY
  return lane_sum_double(s);
}

static void level_adam(float *w, const float *g, float *m, float *v, long n, float beta1,
                       float beta2, float step_size, float root_scale, float epsilon) {
  const vec keep1 = splat(beta1), rest1 = splat(1 - beta1);
  const vec keep2 = splat(beta2), rest2 = splat(1 - beta2);
  const vec rate = splat(step_size), scale = splat(root_scale), offset = splat(epsilon);
  // Explicit vectors: sqrtf may set errno, so the compiler would take one value at a time.
#define BODY(i, k)                                                              \
  do {                                                                          \
    vec d = fetch(g + i, k);                                                    \
    vec first = keep1 * fetch(m + i, k) + rest1 * d;                            \
    vec second = keep2 * fetch(v + i, k) + rest2 * (d * d);                     \
    put(m + i, first, k);                                                       \
    put(v + i, second, k);                                                      \
    vec root = scale * __builtin_elementwise_sqrt(second) + offset;             \
    put(w + i, fetch(w + i, k) - rate * first / root, k);                       \
  } while (0)
  EACH_VECTOR(n, BODY);
#undef BODY
}

static float level_multiply_adds(long rounds) {
  // The constants are unknown to the compiler, so that they stay in registers too.
  float constants[2] = {0.5f, 1};
  __asm__ volatile("" : "+m"(constants));
  vec sum[MULTIPLY_ADD_CHAINS];
  UNROLL for (int i = 0; i < MULTIPLY_ADD_CHAINS; i++) sum[i] = splat((float)i);
  const vec factor = splat(constants[0]), term = splat(constants[1]);
  for (long r = 0; r < rounds; r++) {
    UNROLL for (int i = 0; i < MULTIPLY_ADD_CHAINS; i++) sum[i] = sum[i] * factor + term;
    __asm__ volatile("" : "+r"(r));
  }
  vec total = {0};
  UNROLL for (int i = 0; i < MULTIPLY_ADD_CHAINS; i++) total += sum[i];
  return lane_sum(total);
}

const kernel_table LEVEL_TABLE = {
    LEVEL_NAME,      LANES,         level_pack,    level_forward,        level_weight_sums,
    level_weight_outer, level_transpose,
    level_reduce_lanes, level_stage, level_stage_add, level_stage_gradient, level_moments,
    level_backward,  level_sigmoid, level_tanh,    level_gelu,           level_gelu_gradient,
    level_exp_sum,   level_axpy,
    level_dot,       level_dot_rows, level_squared_error, level_adam,
    level_multiply_adds,
};
