// Which builds this CPU, and the operating system that saves its registers, can run.
#pragma once
#include <initializer_list>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace {

// 0 baseline, 1 AVX2 (all of x86-64-v3), 2 AVX-512 (all of x86-64-v4).
static int cpu_level() {
#if defined(__x86_64__)
  unsigned a, b, c, d;
  const auto has = [](unsigned word, std::initializer_list<int> bits) {
    for (int bit : bits)
      if (!(word >> bit & 1)) return false;
    return true;
  };
  if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
  if (!has(c, {12, 22, 27, 28, 29})) return 0;  // FMA, MOVBE, OSXSAVE, AVX, F16C
  unsigned saved, upper;                        // which registers the operating system saves
  asm volatile("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
  if (!has(saved, {1, 2})) return 0;  // xmm, ymm
  if (!__get_cpuid(0x80000001u, &a, &b, &c, &d) || !has(c, {5})) return 0;                 // LZCNT
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, {3, 5, 8})) return 0;            // BMI1, AVX2, BMI2
  return has(saved, {5, 6, 7}) && has(b, {16, 17, 28, 30, 31}) ? 2 : 1;  // opmask, zmm; AVX512 F, DQ, CD, BW, VL
#else
  return 0;
#endif
}

}  // namespace
