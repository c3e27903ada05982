#pragma once
#include "philox.h"
#include "complex_rows.h"
#include "partial_dft.h"
#include "conv_kernels.h"
