#pragma once
#include "conv_kernels.h"
