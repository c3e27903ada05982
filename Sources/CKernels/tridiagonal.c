#include "tridiagonal.h"

#include <math.h>

#include "every_level.h"

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };
typedef double f64x16 __attribute__((vector_size(LANES * 8)));
typedef double f64x16u __attribute__((vector_size(LANES * 8), aligned(8)));

#define LOAD(p) (*(const f64x16u *)(p))
#define STORE(p, v) (*(f64x16u *)(p) = (v))

INLINE double total(const f64x16 *v) {
  double s[LANES];
  for (int i = 0; i < LANES; i++) s[i] = (*v)[i];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) s[i] += s[i + half];
  return s[0];
}

// sum of conj(x) y if `conjugate`, else of x y; the imaginary planes are NULL for real vectors.
INLINE void dot(size_t n, const double *xr, const double *xi, const double *yr, const double *yi,
                int conjugate, double *re, double *im) {
  f64x16 sr = {0}, si = {0};
  const double sign = conjugate ? -1 : 1;
  size_t j = 0;
  for (; j + LANES <= n; j += LANES) {
    const f64x16 a = LOAD(xr + j), c = LOAD(yr + j);
    sr += a * c;
    if (xi) {
      const f64x16 b = LOAD(xi + j) * sign, d = LOAD(yi + j);
      sr -= b * d;
      si += a * d;
      si += b * c;
    }
  }
  double r = total(&sr), i = xi ? total(&si) : 0;
  for (; j < n; j++) {
    r += xr[j] * yr[j];
    if (xi) {
      const double b = xi[j] * sign;
      r -= b * yi[j];
      i += xr[j] * yi[j];
      i += b * yr[j];
    }
  }
  *re = r;
  *im = i;
}

// y += (ar + i ai) x, or times conj(x).
INLINE void add_multiple(size_t n, double ar, double ai, const double *xr, const double *xi,
                         int conjugate, double *yr, double *yi) {
  const double sign = conjugate ? -1 : 1;
  size_t j = 0;
  for (; j + LANES <= n; j += LANES) {
    const f64x16 x = LOAD(xr + j);
    f64x16 r = LOAD(yr + j);
    r += ar * x;
    if (xi) {
      const f64x16 u = LOAD(xi + j) * sign;
      f64x16 i = LOAD(yi + j);
      r -= ai * u;
      i += ar * u;
      i += ai * x;
      STORE(yi + j, i);
    }
    STORE(yr + j, r);
  }
  for (; j < n; j++) {
    double r = yr[j] + ar * xr[j];
    if (xi) {
      const double u = xi[j] * sign;
      r -= ai * u;
      double i = yi[j] + ar * u;
      i += ai * xr[j];
      yi[j] = i;
    }
    yr[j] = r;
  }
}

// The reflector that takes column k below the diagonal to (beta, 0, ..., 0): v, with v[0] = 1, goes to the rows k + 1 ... of
// vr and vi, beta to e and tau to tau_re, tau_im. Scaled by the largest value, so that squares neither overflow nor vanish.
INLINE void reflector(size_t n, size_t k, const double *re, const double *im, double *vr,
                      double *vi, double *e, double *tau_re, double *tau_im) {
  double largest = 0;
  for (size_t i = k + 1; i < n; i++) {
    vr[i] = re[i * n + k];
    largest = fmax(largest, fabs(vr[i]));
    if (!im) continue;
    vi[i] = im[i * n + k];
    largest = fmax(largest, fabs(vi[i]));
  }
  double rest = 0;  // energy of the part to be removed
  const double inverse = largest > 0 ? 1 / largest : 0;
  for (size_t i = k + 1; i < n; i++) {
    vr[i] *= inverse;
    if (im) vi[i] *= inverse;
    if (i > k + 1) rest += vr[i] * vr[i] + (im ? vi[i] * vi[i] : 0);
  }
  const double ar = vr[k + 1], ai = im ? vi[k + 1] : 0;
  vr[k + 1] = 1;
  if (im) vi[k + 1] = 0;
  if (rest == 0 && ai == 0) {
    *tau_re = *tau_im = 0;
    *e = ar * largest;
    for (size_t i = k + 2; i < n; i++) {
      vr[i] = 0;
      if (im) vi[i] = 0;
    }
    return;
  }
  const double norm = sqrt(ar * ar + ai * ai + rest), beta = ar > 0 ? -norm : norm;
  *tau_re = (beta - ar) / beta;
  *tau_im = -ai / beta;
  *e = beta * largest;
  // v = x / (alpha - beta)
  const double dr = ar - beta, size = dr * dr + ai * ai, cr = dr / size, ci = -ai / size;
  for (size_t i = k + 2; i < n; i++) {
    const double x = vr[i], y = im ? vi[i] : 0;
    vr[i] = x * cr - y * ci;
    if (im) vi[i] = x * ci + y * cr;
  }
}

INLINE void csk_tridiagonalise_body(size_t n, double *re, double *im, double *d, double *e,
                                    double *tau_re, double *tau_im, double *work) {
  // v and w of the last step, still to be applied, and the vectors of this step.
  double *vr = work, *vi = im ? work + n : 0, *wr = work + 2 * n, *wi = im ? work + 3 * n : 0;
  double *pr = work + 4 * n, *pi = im ? work + 5 * n : 0;
  for (size_t k = 0; k + 1 < n; k++) {
    d[k] = re[k * n + k];
    reflector(n, k, re, im, vr, vi, e + k, tau_re + k, tau_im + k);
    const double tr = tau_re[k], ti = tau_im[k];
    const size_t first = k + 1, m = n - first;
    for (size_t i = first; i < n; i++) {
      re[k * n + i] = vr[i];
      if (im) im[k * n + i] = vi[i];
      pr[i] = 0;
      if (im) pi[i] = 0;
    }
    if (tr == 0 && ti == 0) continue;
    // p = A v from the lower triangle: row i gives its own sum and, conjugated, a part of those above.
    for (size_t i = first; i < n; i++) {
      const double *ar = re + i * n + first, *ai = im ? im + i * n + first : 0;
      double sr, si;
      dot(i - first, ar, ai, vr + first, im ? vi + first : 0, 0, &sr, &si);
      add_multiple(i - first, vr[i], im ? vi[i] : 0, ar, ai, 1, pr + first, im ? pi + first : 0);
      pr[i] += sr + re[i * n + i] * vr[i];
      if (im) pi[i] += si + re[i * n + i] * vi[i];
    }
    // w = tau p - tau/2 (tau p)^H v v
    for (size_t i = first; i < n; i++) {
      const double x = pr[i], y = im ? pi[i] : 0;
      wr[i] = tr * x - ti * y;
      if (im) wi[i] = tr * y + ti * x;
    }
    double sr, si;
    dot(m, wr + first, im ? wi + first : 0, vr + first, im ? vi + first : 0, 1, &sr, &si);
    const double hr = -0.5 * (tr * sr - ti * si), hi = -0.5 * (tr * si + ti * sr);
    add_multiple(m, hr, hi, vr + first, im ? vi + first : 0, 0, wr + first, im ? wi + first : 0);
    // A -= v w^H + w v^H
    for (size_t i = first; i < n; i++) {
      double *ar = re + i * n + first, *ai = im ? im + i * n + first : 0;
      const size_t count = i - first + 1;
      add_multiple(count, -vr[i], im ? -vi[i] : 0, wr + first, im ? wi + first : 0, 1, ar, ai);
      add_multiple(count, -wr[i], im ? -wi[i] : 0, vr + first, im ? vi + first : 0, 1, ar, ai);
    }
  }
  d[n - 1] = re[n * n - 1];
}
CSK_EVERY_LEVEL(csk_tridiagonalise,
                (size_t n, double *re, double *im, double *d, double *e, double *tau_re,
                 double *tau_im, double *work),
                (n, re, im, d, e, tau_re, tau_im, work))

INLINE void csk_back_transform_body(size_t n, const double *re, const double *im,
                                    const double *tau_re, const double *tau_im, size_t count,
                                    double *z_re, double *z_im) {
  enum { GROUP = 8 };  // vectors that stay in the second cache while the reflectors pass
  for (size_t start = 0; start < count; start += GROUP) {
    const size_t end = start + GROUP < count ? start + GROUP : count;
    for (size_t k = n - 1; k-- > 0;) {
      const double tr = tau_re[k], ti = tau_im[k];
      if (tr == 0 && ti == 0) continue;
      const size_t first = k + 1, m = n - first;
      const double *vr = re + k * n + first, *vi = im ? im + k * n + first : 0;
      for (size_t c = start; c < end; c++) {
        double *zr = z_re + c * n + first, *zi = im ? z_im + c * n + first : 0;
        double sr, si;
        dot(m, vr, vi, zr, zi, 1, &sr, &si);
        add_multiple(m, -(tr * sr - ti * si), -(tr * si + ti * sr), vr, vi, 0, zr, zi);
      }
    }
  }
}
CSK_EVERY_LEVEL(csk_back_transform,
                (size_t n, const double *re, const double *im, const double *tau_re,
                 const double *tau_im, size_t count, double *z_re, double *z_im),
                (n, re, im, tau_re, tau_im, count, z_re, z_im))
