#pragma once
#include "buffer_cache.h"
#include "complex_rows.h"
#include "conv_kernels.h"
#include "dft32.h"
#include "pause.h"
#include "philox.h"
