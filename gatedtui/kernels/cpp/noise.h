// Normal numbers for the weight noise, the same to the bit on every machine and in kernels/noise.py.
#pragma once
#include "vector_math.h"

// z[n] = n standard normal numbers in float: those of draw number `draw` under `seed`.
void gated_normal_numbers(std::uint64_t seed, std::uint32_t draw, i64 n, float* z);
