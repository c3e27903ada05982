#pragma once

/// Kernels of the network engine: tap-list convolution with lanes along x, and the element-wise
/// passes around it. Every kernel exists once per instruction level (see
/// kernel_level.h; `kernels_at` selects one explicitly, for tests).
///
/// All arrays are Float. Convolution inputs lie in buffers with a halo of zeros, and must be readable
/// for `CONV_OVERREAD` floats past the last element a tap can address. Results do not depend on
/// memory alignment, on neighbouring samples or on the thread that runs the kernel.

#ifdef __cplusplus
extern "C" {
#endif

enum { CONV_OVERREAD = 64, CONV_MAX_LANES = 16, MULTIPLY_ADD_CHAINS = 12 };

/// Geometry of a convolution: one output channel is a sum of `tap_count` shifted input planes.
typedef struct {
  long height, width;
  long tap_count;           ///< taps of one output channel: inputs of its group, kernel rows, kernel columns
  long kernel_rows, kernel_columns;
  long row_dilation;        ///< rows between the taps of a kernel column
  long group_count;
  long channels_per_group;  ///< output channels of one group
  const long *taps;         ///< [group][tap]: offset in floats from the position of the output
} conv_shape;

enum {
  CONV_FILTER_ROWS = 4,      ///< rows of the output of one minimal filter, F(4, 3)
  CONV_FILTER_PRODUCTS = 6,  ///< its products of each kernel column
  CONV_FILTER_TAPS = 3,      ///< its kernel rows
  CONV_FILTER_INPUTS = 64,   ///< most input channels, and most columns, of a convolution by minimal filters
  CONV_FILTER_WIDTH = 64
};

/// Whether `forward` computes a convolution by minimal filters along the columns, with half of the multiplications; never one
/// with dilation. It depends on the shape alone, never on the level.
static inline int conv_is_filter(const conv_shape *shape) {
  return shape->kernel_rows == CONV_FILTER_TAPS && shape->row_dilation == 1 &&
         shape->height % CONV_FILTER_ROWS == 0 && shape->width <= CONV_FILTER_WIDTH &&
         shape->kernel_columns <= CONV_MAX_LANES &&
         shape->tap_count <= CONV_FILTER_INPUTS * CONV_FILTER_TAPS * shape->kernel_columns;
}

/// Packed weights of one output channel.
static inline long conv_packed_taps(const conv_shape *shape) {
  return conv_is_filter(shape) ? shape->tap_count / CONV_FILTER_TAPS * CONV_FILTER_PRODUCTS
                               : shape->tap_count;
}

/// output = f(bias + sum of weight * input + residual), f(u) = u > 0 ? u : slope * u.
typedef struct {
  conv_shape shape;
  const float *weights;          ///< packed by `pack`
  const float *bias;             ///< [channel]
  const float *slopes;           ///< [channel], or null for no activation
  const float *input;
  long input_pitch;              ///< floats between rows
  float *output;
  const long *output_offsets;    ///< [channel]
  long output_pitch;
  const float *residual;         ///< null, or added before the activation; may equal `output`
  const long *residual_offsets;  ///< [channel]
  long residual_pitch;
} conv_forward_job;

/// Adds products of output gradients and inputs to lane-wise sums, [channel][tap][lane].
typedef struct {
  conv_shape shape;
  long samples;
  const float *input;
  long input_pitch, input_step;        ///< step: floats between samples
  const float *gradient;
  const long *gradient_offsets;        ///< [channel]
  long gradient_pitch, gradient_step;
  float *sums;
} conv_weight_job;

/// Sums over samples and columns of gradient times shifted input for maps of one row, with lanes along the output
/// channels, whose number is a multiple of `lanes`.
typedef struct {
  long outputs, width, samples;
  long tap_count;
  const long *taps;
  const float *input;
  long input_step;          ///< floats between samples
  const float *gradient;    ///< [sample][column][output]
  float *totals;            ///< [tap][output], written
} conv_outer_job;

/// One plane of an element-wise pass; rows of `width` floats.
typedef struct {
  long height, width;
  const float *source;
  long source_pitch;
  float *target;
  long target_pitch;
  float scale, shift, slope;  ///< value = f(scale * source + shift), f as in conv_forward_job
} plane_job;

/// Sums over one plane for the backward pass of normalisation and activation.
typedef struct {
  double gradient;           ///< sum of g
  double gradient_centred;   ///< sum of g * (z - mean)
  double slope;              ///< sum of dA * u over u <= 0
} backward_sums;

typedef struct {
  const char *name;
  long lanes;
  /// Reorders and transforms plain weights [channel][tap] for `forward`, `conv_packed_taps` of each channel.
  void (*pack)(const conv_shape *shape, const float *weights, float *packed);
  void (*forward)(const conv_forward_job *job);
  void (*weight_sums)(const conv_weight_job *job);
  void (*weight_outer)(const conv_outer_job *job);
  /// target[x * target_pitch + row] = source[row * source_pitch + x].
  void (*transpose)(const float *source, long source_pitch, long rows, long width, float *target,
                    long target_pitch);
  /// totals[i] = sum of the lanes of sums[i][lane].
  void (*reduce_lanes)(const float *sums, long count, float *totals);

  /// target = f(scale * source + shift).
  void (*stage)(const plane_job *job);
  /// target += sign * f(scale * source + shift).
  void (*stage_add)(const plane_job *job, float sign);
  /// target = a * g + b * z + c, g and z with the source's pitch.
  void (*stage_gradient)(const plane_job *job, const float *z, float a, float b, float c);
  /// Sum and centred sum of squares of n values.
  void (*moments)(const float *values, long n, double *sum, double *squares);
  /// In place g = dA * f'(u), u = scale * z + shift, over n values; adds to `sums`.
  void (*backward)(float *gradient, const float *z, long n, float scale, float shift, float mean,
                   float slope, backward_sums *sums);

  void (*sigmoid)(const float *x, float *y, long n);
  void (*tanh)(const float *x, float *y, long n);
  /// y = x Φ(x), Φ the normal distribution function, within 3e-7 of its size, and 4e-7 + 1e-7 x² of it below 0.
  void (*gelu)(const float *x, float *y, long n);
  /// target = gradient (Φ(x) + x φ(x)).
  void (*gelu_gradient)(const float *x, const float *gradient, float *target, long n);
  /// y = exp(x - offset); returns the sum.
  float (*exp_sum)(const float *x, float *y, long n, float offset);
  /// y += a * x.
  void (*axpy)(float a, const float *x, float *y, long n);
  float (*dot)(const float *x, const float *y, long n);
  /// Adds the products of x [n] with each of `count` rows, `pitch` floats apart, to `sums` [count].
  void (*dot_rows)(const float *x, const float *rows, long n, long count, long pitch, float *sums);

  /// gradient = factor * (y - target); returns the sum of (y - target) squared.
  double (*squared_error)(const float *y, const float *target, long n, float factor,
                          float *gradient);

  /// One step of Adam; `step_size` and `root_scale` carry the bias corrections:
  /// w -= step_size * m / (root_scale * sqrt(v) + epsilon).
  void (*adam)(float *w, const float *g, float *m, float *v, long n, float beta1, float beta2,
               float step_size, float root_scale, float epsilon);

  /// MULTIPLY_ADD_CHAINS independent chains of `rounds` vector multiply-adds, few enough for the
  /// registers of every level and enough to hide the latency: the peak rate, for benchmarks.
  float (*multiply_adds)(long rounds);
} kernel_table;

/// Kernels of a level of `csk_level_count()`, or null if this machine cannot run them.
const kernel_table *kernels_at(long level);
/// Kernels of the level in use.
const kernel_table *kernels(void);

#ifdef __cplusplus
}
#endif
