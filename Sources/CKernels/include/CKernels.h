#pragma once
#include "philox.h"
#include "complex_rows.h"
#include "dft32.h"
