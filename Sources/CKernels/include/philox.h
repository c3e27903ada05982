#pragma once
#include <stddef.h>
#include <stdint.h>

/// Counter of a Philox4x32-10 stream: word 0 counts blocks of four words, words 1 to 3 name the stream.
typedef struct {
  uint32_t key[2];
  uint32_t counter[4];
} csk_philox;

/// Four words of one block (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
void csk_philox_block(const csk_philox *stream, uint32_t words[4]);

/// Fills `count` words; word i is word i mod 4 of block counter[0] + i / 4.
void csk_philox_words(const csk_philox *stream, uint32_t *out, size_t count);

/// out[i] = scale * g[i], g standard normal (Box-Muller), 192 values from each 32 blocks. Value i depends on the stream
/// and on i alone, and its bits are the same on every machine.
void csk_gaussian_fill(const csk_philox *stream, float scale, float *out, size_t count);

/// out[i] = gain * in[i] + scale * g[i] with the g of csk_gaussian_fill; `in` may be `out`.
void csk_gaussian_add(const csk_philox *stream, float scale, float gain, const float *in, float *out,
                      size_t count);
