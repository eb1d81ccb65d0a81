// Normal numbers from a counter: Threefry-2x32 with 13 rounds (Salmon et al. 2011, *Parallel random numbers: as easy as
// 1, 2, 3*), then Box and Muller's transformation. The key is the seed, the counter is (place, draw), so any draw can
// be had without those before it, and a generator's whole state is two numbers.
//
// This file is compiled with -ffp-contract=off: every multiplication and addition is rounded by itself, as NumPy does
// it, and the numbers are then the same to the bit whatever the vector width.
#include "noise.h"

namespace {

typedef std::uint32_t VecU32 __attribute__((vector_size(VECTOR_BYTES)));

INLINE VecU32 rotated(VecU32 x, int by) { return (x << by) | (x >> (32 - by)); }

// Both words of each of WAYS blocks become random. Several blocks side by side hide the latency of each other's rounds.
template <int WAYS> INLINE void threefry(VecU32* x0, VecU32* x1, std::uint32_t key0, std::uint32_t key1) {
  constexpr int ROTATIONS[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const std::uint32_t key[3] = {key0, key1, 0x1BD11BDAu ^ key0 ^ key1};
  for (int w = 0; w < WAYS; w++) {
    x0[w] += key[0];
    x1[w] += key[1];
  }
#pragma GCC unroll 13
  for (int round = 0; round < 13; round++) {
    for (int w = 0; w < WAYS; w++) x0[w] += x1[w];
    for (int w = 0; w < WAYS; w++) x1[w] = rotated(x1[w], ROTATIONS[round % 8]) ^ x0[w];
    if (round % 4 != 3) continue;
    const std::uint32_t injection = round / 4 + 1;
    for (int w = 0; w < WAYS; w++) {
      x0[w] += key[injection % 3];
      x1[w] += key[(injection + 1) % 3] + injection;
    }
  }
}

INLINE Vec<float> bits_as_float(VecI32 bits) {
  Vec<float> v;
  std::memcpy(&v, &bits, VECTOR_BYTES);
  return v;
}
INLINE VecI32 float_as_bits(Vec<float> v) {
  VecI32 bits;
  std::memcpy(&bits, &v, VECTOR_BYTES);
  return bits;
}

// The upper 24 bits as a number, exactly.
INLINE Vec<float> upper_bits(VecU32 x) { return __builtin_convertvector((VecI32)(x >> 8), Vec<float>); }

// Two normal numbers a lane: radius √(-2 ln u) from the first word, and the cosine and sine of an angle within ±π/4
// from the upper 24 bits of the second; two of its other bits turn the pair by quarters of a circle.
INLINE void box_muller(VecU32 x0, VecU32 x1, Vec<float>& z0, Vec<float>& z1) {
  const Vec<float> u = (upper_bits(x0) + 0.5f) * 0x1p-24f, radius = sqrt<float>(log<float>(u) * -2.f);
  const Vec<float> t = (upper_bits(x1) + 0.5f) * (0x1p-24f * 1.57079632679f) - 0.78539816339f, s = t * t;
  const Vec<float> sine = t * (s * (s * (s * -1.9515295891e-4f + 8.3321608736e-3f) - 1.6666654611e-1f) + 1.f);
  Vec<float> cosine = s * 2.443315711809948e-5f - 1.388731625493765e-3f;
  cosine = s * (s * (s * cosine + 4.166664568298827e-2f) - 0.5f) + 1.f;
  const VecI32 sign = (VecI32)(x1 & 1u) << 31, swap = (VecI32)(x1 & 2u) != 0;
  const VecI32 c = float_as_bits(cosine) ^ sign, n = float_as_bits(sine);
  z0 = bits_as_float(swap ? n : c) * radius;
  z1 = bits_as_float(swap ? c : n) * radius;
}

}  // namespace

namespace {

// The blocks from `place` on, WAYS vectors of them: block i gives z[i] and z[half + i], as far as the two halves reach.
template <int WAYS>
INLINE void blocks(i64 i, i64 n, i64 half, VecU32 place, std::uint32_t draw, std::uint64_t seed, float* z) {
  constexpr int L = LANES<float>;
  VecU32 x0[WAYS], x1[WAYS];
  for (int w = 0; w < WAYS; w++) {
    x0[w] = place + (std::uint32_t)(w * L);
    x1[w] = VecU32{} + draw;
  }
  threefry<WAYS>(x0, x1, (std::uint32_t)seed, (std::uint32_t)(seed >> 32));
  for (int w = 0; w < WAYS; w++, i += L) {
    Vec<float> z0, z1;
    box_muller(x0[w], x1[w], z0, z1);
    const i64 first = half - i, second = n - half - i;
    if (WAYS > 1 || first >= L) store(z + i, z0);
    else store_first(z + i, z0, first);
    if (WAYS > 1 || second >= L) store(z + half + i, z1);
    else if (second > 0) store_first(z + half + i, z1, second);
  }
}

}  // namespace

// z may have any alignment; nothing beyond z[n-1] is written.
void gated_normal_numbers(std::uint64_t seed, std::uint32_t draw, i64 n, float* z) {
  constexpr int L = LANES<float>, WAYS = VECTOR_BYTES == 64 ? 4 : 2;
  const i64 half = (n + 1) / 2;
  VecU32 place;
  for (int i = 0; i < L; i++) place[i] = (std::uint32_t)i;
  i64 i = 0;
  for (; i + WAYS * L <= n - half; i += WAYS * L, place += WAYS * L) blocks<WAYS>(i, n, half, place, draw, seed, z);
  for (; i < half; i += L, place += L) blocks<1>(i, n, half, place, draw, seed, z);
}
