// Vectors as wide as the machine's registers, memory that holds them, and the elementary functions on them.
//
// Written with the vector extensions of GCC and Clang: the same source becomes AVX-512, AVX2, SSE or NEON instructions.
// Everything here is inline and has internal linkage, so that the builds for different machines never share a symbol.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using i64 = std::int64_t;
using i32 = std::int32_t;

#if defined(__AVX512F__)
constexpr int VECTOR_BYTES = 64;
#elif defined(__AVX2__)
constexpr int VECTOR_BYTES = 32;
#else
constexpr int VECTOR_BYTES = 16;
#endif
#define FORCE_INLINE inline __attribute__((always_inline))
#define INLINE static FORCE_INLINE

template <class T> constexpr int LANES = VECTOR_BYTES / sizeof(T);
template <class T> struct VectorOf { typedef T type __attribute__((vector_size(VECTOR_BYTES))); };
template <class T> using Vec = typename VectorOf<T>::type;
typedef i32 VecI32 __attribute__((vector_size(VECTOR_BYTES)));

template <class T> INLINE Vec<T> load(const T* p) { Vec<T> v; std::memcpy(&v, p, VECTOR_BYTES); return v; }
template <class T> INLINE void store(T* p, Vec<T> v) { std::memcpy(p, &v, VECTOR_BYTES); }
template <class T> INLINE Vec<T> splat(T a) { return Vec<T>{} + a; }
template <class T> INLINE T sum(Vec<T> v) { T s = 0; for (int i = 0; i < LANES<T>; i++) s += v[i]; return s; }

// The first n lanes (n <= LANES), zero in the others; nothing beyond p[n-1] is touched.
template <class T> INLINE Vec<T> load_first(const T* p, i64 n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#endif
  Vec<T> v = {};
  std::memcpy(&v, p, n * sizeof(T));
  return v;
}
template <class T> INLINE void store_first(T* p, Vec<T> v, i64 n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#endif
  std::memcpy(p, &v, n * sizeof(T));
}

// Bit i says whether lane i equals `value`; NaN equals nothing.
template <class T> INLINE unsigned lanes_equal(Vec<T> v, T value) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_cmpeq_ps_mask((__m512)v, _mm512_set1_ps(value));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, _mm256_set1_ps(value), _CMP_EQ_OQ));
#elif defined(__SSE2__)
  if constexpr (sizeof(T) == 4) return _mm_movemask_ps(_mm_cmpeq_ps((__m128)v, _mm_set1_ps(value)));
#endif
  unsigned bits = 0;
  for (int i = 0; i < LANES<T>; i++) bits |= (unsigned)(v[i] == value) << i;
  return bits;
}

INLINE i64 round_up(i64 n, i64 to) { return (n + to - 1) / to * to; }

// Memory that only grows: after the first minibatch of the largest size no step allocates or faults in a page.
// New memory is zero; 256 elements beyond the end may be read (a vector load at the end of a row), never relied upon.
template <class T> class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(start_); }
  T* need(i64 n) {
    if (n > size_) grow(n);
    return start_;
  }
  T* get() const { return start_; }
  void swap(Buffer& other) {
    std::swap(start_, other.start_);
    std::swap(size_, other.size_);
  }

 private:
  void grow(i64 n) {
    void* fresh = nullptr;
    const std::size_t bytes = (n + 256) * sizeof(T);
    if (posix_memalign(&fresh, 64, bytes)) throw std::bad_alloc();
    std::memset(fresh, 0, bytes);
    std::free(start_);
    start_ = static_cast<T*>(fresh);
    size_ = n;
  }
  T* start_ = nullptr;
  i64 size_ = 0;
};

// While one of these lives, denormal numbers count as zero: a state that fades away would otherwise make every step
// tens of times as slow. The caller's setting comes back afterwards.
#if defined(__x86_64__)
struct FlushDenormals {
  unsigned before = _mm_getcsr();
  FlushDenormals() { _mm_setcsr(before | 0x8040); }  // flush to zero, denormals are zero
  ~FlushDenormals() { _mm_setcsr(before); }
};
#elif defined(__aarch64__)
struct FlushDenormals {
  std::uint64_t before;
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before));
    asm volatile("msr fpcr, %0" ::"r"(before | (1ull << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before)); }
};
#else
struct FlushDenormals { ~FlushDenormals() {} };
#endif

// ---- elementary functions ------------------------------------------------------------------------------------------
// float: polynomials, about 1e-7 relative. double, which serves to check the equations: the C library, lane by lane.
// NaN in is NaN out in every one of them: a comparison with NaN is false, so each selection below lets it through.

template <class T> INLINE Vec<T> clamped(Vec<T> x, T low, T high) {
  x = x > high ? splat(high) : x;
  return x < low ? splat(low) : x;
}

// Rational approximation, odd over even: x P(x^2) / Q(x^2), largest error 2.6e-7; beyond 7.9 tanh is 1 in float.
template <class T> INLINE Vec<T> tanh(Vec<T> x) {
  if constexpr (sizeof(T) == 8) {
    for (int i = 0; i < LANES<T>; i++) x[i] = std::tanh(x[i]);
    return x;
  } else {
    x = clamped<T>(x, -7.90531110763549805f, 7.90531110763549805f);
    const Vec<T> s = x * x;
    Vec<T> p = s * -2.76076847742355e-16f + 2.00018790482477e-13f;
    p = p * s - 8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    Vec<T> q = s * 1.19825839466702e-06f + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return x * p / q;
  }
}

// The logistic function: 1 / (1 + e^-x) = (1 + tanh(x/2)) / 2.
template <class T> INLINE Vec<T> sigmoid(Vec<T> x) { return tanh<T>(x * (T)0.5) * (T)0.5 + (T)0.5; }

// e^x = 2^n e^r with |r| <= ln(2)/2, e^r by a polynomial of degree 7; x is held in [-87.3, 88].
template <class T> INLINE Vec<T> exp(Vec<T> x) {
  if constexpr (sizeof(T) == 8) {
    for (int i = 0; i < LANES<T>; i++) x[i] = std::exp(x[i]);
    return x;
  } else {
    x = clamped<T>(x, -87.3f, 88.f);
    const Vec<T> n = (x * 1.44269504f + 12582912.f) - 12582912.f;  // x / ln 2, rounded: 1.5 * 2^23 leaves no fraction
    Vec<T> r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    Vec<T> p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.f;
    const VecI32 exponent = (__builtin_convertvector(n, VecI32) + 127) << 23;
    Vec<T> power;
    std::memcpy(&power, &exponent, VECTOR_BYTES);
    return p * power;
  }
}

// ln x = n ln 2 + ln m with m in [sqrt(1/2), sqrt(2)), for x > 0 and normal; infinity and NaN come back as they are,
// so that a diverged run shows in its loss.
template <class T> INLINE Vec<T> log(Vec<T> x) {
  if constexpr (sizeof(T) == 8) {
    for (int i = 0; i < LANES<T>; i++) x[i] = std::log(x[i]);
    return x;
  } else {
    VecI32 bits;
    std::memcpy(&bits, &x, VECTOR_BYTES);
    const VecI32 exponent = (bits - 0x3f3504f3) >> 23;
    bits -= exponent << 23;
    Vec<T> m;
    std::memcpy(&m, &bits, VECTOR_BYTES);
    m -= 1.f;
    const Vec<T> z = m * m, n = __builtin_convertvector(exponent, Vec<T>);
    Vec<T> p = m * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    p = p * m * z;
    p += n * -2.12194440e-4f;
    p -= z * 0.5f;
    p = m + p + n * 0.693359375f;
    return x <= std::numeric_limits<float>::max() ? p : x;
  }
}

template <class T> INLINE Vec<T> sqrt(Vec<T> x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm_sqrt_ps((__m128)x);
#endif
  for (int i = 0; i < LANES<T>; i++) x[i] = std::sqrt(x[i]);
  return x;
}

template <class T> INLINE Vec<T> abs(Vec<T> x) { return x < 0 ? -x : x; }
template <class T> INLINE Vec<T> larger(Vec<T> a, Vec<T> b) { return a > b ? a : b; }

// ---- transposing a block of LANES x LANES in registers -------------------------------------------------------------
// Butterflies: after the pass with distance S, blocks of S x S stand transposed within blocks of 2S x 2S.

template <int S, int N> constexpr int low_half(int lane) { return lane & S ? N + lane - S : lane; }
template <int S, int N> constexpr int high_half(int lane) { return lane & S ? N + lane : lane + S; }

template <class T, int S, int... LANE> INLINE void exchange(Vec<T>& a, Vec<T>& b, std::integer_sequence<int, LANE...>) {
  constexpr int N = LANES<T>;
  const Vec<T> x = a, y = b;
#if defined(__clang__)
  a = __builtin_shufflevector(x, y, low_half<S, N>(LANE)...);
  b = __builtin_shufflevector(x, y, high_half<S, N>(LANE)...);
#else
  typedef typename std::conditional<sizeof(T) == 4, i32, i64>::type Index;
  typedef Index Lanes __attribute__((vector_size(VECTOR_BYTES)));
  a = __builtin_shuffle(x, y, Lanes{low_half<S, N>(LANE)...});
  b = __builtin_shuffle(x, y, Lanes{high_half<S, N>(LANE)...});
#endif
}

template <class T, int S = 1> INLINE void transpose(Vec<T>* rows) {
  constexpr int N = LANES<T>;
  if constexpr (S < N) {
#pragma GCC unroll 16
    for (int i = 0; i < N; i++)
      if (!(i & S)) exchange<T, S>(rows[i], rows[i + S], std::make_integer_sequence<int, N>{});
    transpose<T, 2 * S>(rows);
  }
}

}  // namespace
