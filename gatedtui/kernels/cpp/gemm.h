// The one matrix product everything else is built from:  C[M, N] = start + A[M, K] B[K, N].
//
// A tile of R rows by V vectors of C stays in registers while k runs over K. At each k the V vectors of B's row are
// loaded once, and R elements of A are broadcast and multiplied into them. A is therefore read element by element, so
// it may lie either way round; B is read in vectors, so N is its contiguous axis.
//
//   registers    tile (rows x vectors)    accumulators + B + broadcast
//   AVX-512  32          8 x 3                24 + 3 + 1 (or a memory operand)
//   AVX2     16          4 x 3                12 + 3 + 1
//   SSE      16          4 x 3                12 + 3 + 1
//   NEON     32          8 x 3                24 + 3 + 1
//
// B is a plain row-major matrix, or packed in *panels*: a panel is 3 (or 2, or 1) vectors of columns wide, stored as
// [K][width], panel after panel, so that the inner loop walks through memory in order.
#pragma once
#include "vector_math.h"

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int TILE_ROWS = 8;
#else
constexpr int TILE_ROWS = 4;
#endif
constexpr int TILE_VECTORS = 3;

// What the sums begin with: 0, C as it is, bias[n] in every row, bias[m] in every column.
enum class Start { ZERO, ADD, ROW_BIAS, COLUMN_BIAS };
// Where A[m, k] lies: at m * stride + k, or at k * stride + m.
enum class Order { ROWS, COLUMNS };

// A, read by broadcasts. K may come in `segments` of `depth` each, `apart` elements from one to the next: the gates of
// a frame lie P apart and only the first H of each are wanted.
template <class T> struct Broadcast {
  const T* start;
  i64 stride;
  i64 depth;
  i64 segments = 1;
  i64 apart = 0;
};

// B, read by vectors. stride > 0: a row-major matrix with that row stride. stride 0: panels.
template <class T> struct Vectors {
  const T* start;
  i64 stride = 0;
};

// Width in vectors of the panel that begins at vector v of n: 3, 3, …, 3 or 2 or 2, 2; never 3, 1, which wastes half.
INLINE i64 panel_width(i64 v, i64 n) {
  const i64 left = n - v;
  return left == TILE_VECTORS + 1 ? 2 : std::min<i64>(left, TILE_VECTORS);
}

// One tile of R rows and V vectors of C. With few accumulators the sum over k is split into S interleaved ones, which
// hides the latency of the multiply-add; S = 1 where a row's value must not depend on how many rows there are.
template <class T, int R, int V, Order ORDER, Start START, bool SPLIT>
INLINE void tile(const Broadcast<T>& A, const T* first, const T* B, i64 ldb, T* C, i64 ldc, const T* bias) {
  constexpr int L = LANES<T>, S = !SPLIT || R * V >= 8 ? 1 : R * V >= 4 ? 2 : 4;
  Vec<T> sums[S][R][V];
#pragma GCC unroll 8
  for (int m = 0; m < R; m++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      if constexpr (START == Start::ADD) sums[0][m][v] = load(C + m * ldc + v * L);
      else if constexpr (START == Start::ROW_BIAS) sums[0][m][v] = load(bias + v * L);
      else if constexpr (START == Start::COLUMN_BIAS) sums[0][m][v] = splat(bias[m]);
      else sums[0][m][v] = Vec<T>{};
      for (int s = 1; s < S; s++) sums[s][m][v] = Vec<T>{};
    }
  for (i64 segment = 0; segment < A.segments; segment++) {
    const T* a = first + segment * A.apart;
    i64 k = 0;
    for (; k + S <= A.depth; k += S) {
#pragma GCC unroll 4
      for (int s = 0; s < S; s++) {
        Vec<T> b[V];
#pragma GCC unroll 4
        for (int v = 0; v < V; v++) b[v] = load(B + s * ldb + v * L);
#pragma GCC unroll 8
        for (int m = 0; m < R; m++) {
          const Vec<T> x = splat(ORDER == Order::ROWS ? a[m * A.stride + s] : a[s * A.stride + m]);
#pragma GCC unroll 4
          for (int v = 0; v < V; v++) sums[s][m][v] += x * b[v];
        }
      }
      B += S * ldb;
      a += ORDER == Order::ROWS ? S : S * A.stride;
    }
    if constexpr (S > 1)
      for (; k < A.depth; k++) {
        for (int m = 0; m < R; m++) {
          const Vec<T> x = splat(ORDER == Order::ROWS ? a[m * A.stride] : a[m]);
          for (int v = 0; v < V; v++) sums[0][m][v] += x * load(B + v * L);
        }
        B += ldb;
        a += ORDER == Order::ROWS ? 1 : A.stride;
      }
  }
#pragma GCC unroll 8
  for (int m = 0; m < R; m++)
#pragma GCC unroll 4
    for (int v = 0; v < V; v++) {
      Vec<T> x = sums[0][m][v];
      for (int s = 1; s < S; s++) x += sums[s][m][v];
      store(C + m * ldc + v * L, x);
    }
}

// V vectors of columns of C, all M rows, in blocks of nearly equal height.
template <class T, int V, Order ORDER, Start START, bool SPLIT>
static void panel(i64 M, const Broadcast<T>& A, const T* B, i64 ldb, T* C, i64 ldc, const T* bias) {
  const T* first = A.start;
  for (i64 left = M, blocks = (M + TILE_ROWS - 1) / TILE_ROWS; left > 0; blocks--) {
    const i64 rows = left <= TILE_ROWS ? left : (left + blocks - 1) / blocks;
    switch (rows) {
#define ROWS(R) \
  case R: \
    if constexpr (R <= TILE_ROWS) tile<T, R, V, ORDER, START, SPLIT>(A, first, B, ldb, C, ldc, bias); \
    break;
      ROWS(8) ROWS(7) ROWS(6) ROWS(5) ROWS(4) ROWS(3) ROWS(2) ROWS(1)
#undef ROWS
    }
    left -= rows;
    first += ORDER == Order::ROWS ? rows * A.stride : rows;
    C += rows * ldc;
    if (START == Start::COLUMN_BIAS) bias += rows;
  }
}

// C[M, N] = start + A B.
//
//   N     is rounded up to whole vectors: rows of C (and of a plain B, and a row bias) must have that much room, and
//         the columns beyond N hold what B's hold (zero, if B's are zero)
//   C     row stride ldc; must not overlap A or B
//   bias  [N] for ROW_BIAS, [M] for COLUMN_BIAS, else unused
//   SPLIT false: a row of C has the same value, to the bit, whatever M is
template <class T, Order ORDER, Start START, bool SPLIT = true>
INLINE void gemm(i64 M, i64 N, const Broadcast<T>& A, const Vectors<T>& B, T* C, i64 ldc, const T* bias = nullptr) {
  constexpr int L = LANES<T>;
  const i64 vectors = (N + L - 1) / L, K = A.depth * A.segments;
  for (i64 v = 0, width; v < vectors; v += width) {
    width = panel_width(v, vectors);
    const T* b = B.start + v * L * (B.stride ? 1 : K);
    const i64 ldb = B.stride ? B.stride : width * L;
    T* c = C + v * L;
    const T* start = START == Start::ROW_BIAS ? bias + v * L : bias;
    switch (width) {
      case 3: panel<T, 3, ORDER, START, SPLIT>(M, A, b, ldb, c, ldc, start); break;
      case 2: panel<T, 2, ORDER, START, SPLIT>(M, A, b, ldb, c, ldc, start); break;
      case 1: panel<T, 1, ORDER, START, SPLIT>(M, A, b, ldb, c, ldc, start); break;
    }
  }
}

// Elements of the panels of a [K, N] matrix.
template <class T> INLINE i64 panel_size(i64 K, i64 N) { return K * round_up(N, LANES<T>); }

// Packs rows k0 … k0 + K of panels that are `depth` deep from the row-major S[K, N] (row stride lds). The columns
// from N to the next whole vector become zero.
template <class T> static void pack(T* panels, const T* S, i64 K, i64 N, i64 lds, i64 k0, i64 depth) {
  constexpr int L = LANES<T>;
  const i64 vectors = (N + L - 1) / L;
  for (i64 v = 0, width; v < vectors; v += width) {
    width = panel_width(v, vectors);
    T* d = panels + v * L * depth + k0 * width * L;
    for (i64 k = 0; k < K; k++, d += width * L)
      for (i64 u = 0; u < width; u++) {
        const i64 n = (v + u) * L;
        store(d + u * L, N - n >= L ? load(S + k * lds + n) : load_first(S + k * lds + n, N - n));
      }
  }
}

// Rows n … n + LANES of S[N, lds] from column k on, as columns: block[i] holds S[n … , k + i], zero for rows beyond N;
// columns beyond the row's end are zero too, and nothing there is read.
template <class T> INLINE void load_transposed(Vec<T>* block, const T* S, i64 N, i64 lds, i64 n, i64 k) {
  constexpr int L = LANES<T>;
  const i64 there = std::min<i64>(lds - k, L);
  for (int i = 0; i < L; i++) {
    const T* row = S + (n + i) * lds + k;
    block[i] = n + i >= N ? Vec<T>{} : there == L ? load(row) : load_first(row, there);
  }
  transpose<T>(block);
}

// Packs the transpose of `gates` row-major matrices S[N, K] (row stride lds) that follow each other: in the panels of
// the [K, gates * P] result, element (k, q * P + n) is S_q[n, k], zero for N <= n < P. P is a multiple of LANES.
template <class T> static void pack_transposed(T* panels, const T* S, i64 K, i64 N, i64 lds, i64 P, i64 gates = 1) {
  constexpr int L = LANES<T>;
  const i64 vectors = gates * P / L;
  Vec<T> block[L];
  for (i64 v = 0, width; v < vectors; v += width) {
    width = panel_width(v, vectors);
    for (i64 u = 0; u < width; u++) {
      const i64 q = (v + u) * L / P, n = (v + u) * L % P;
      T* d = panels + v * L * K + u * L;
      for (i64 k = 0; k < K; k += L) {
        load_transposed<T>(block, S + q * N * lds, N, lds, n, k);
        for (i64 i = 0; i < std::min<i64>(L, K - k); i++) store(d + (k + i) * width * L, block[i]);
      }
    }
  }
}

// D[K, P] (row stride ldd) = the transpose of S[N, K] (no gaps), zero for N <= n < P. P is a multiple of LANES.
template <class T> static void transpose_matrix(T* D, i64 ldd, const T* S, i64 N, i64 K, i64 P) {
  constexpr int L = LANES<T>;
  Vec<T> block[L];
  for (i64 n = 0; n < P; n += L)
    for (i64 k = 0; k < K; k += L) {
      load_transposed<T>(block, S, N, K, n, k);
      for (i64 i = 0; i < std::min<i64>(L, K - k); i++) store(D + (k + i) * ldd + n, block[i]);
    }
}

// D[N, K] (no gaps) = the transpose of the first N columns of S[K, P] (row stride lds). P is a multiple of LANES.
template <class T> static void transpose_back(T* D, const T* S, i64 K, i64 N, i64 lds) {
  constexpr int L = LANES<T>;
  Vec<T> block[L];
  for (i64 k = 0; k < K; k += L)
    for (i64 n = 0; n < N; n += L) {
      for (int i = 0; i < L; i++) block[i] = k + i < K ? load(S + (k + i) * lds + n) : Vec<T>{};
      transpose<T>(block);
      const i64 wanted = std::min<i64>(L, K - k);
      for (i64 i = 0; i < std::min<i64>(L, N - n); i++) {
        if (wanted == L) store(D + (n + i) * K + k, block[i]);
        else store_first(D + (n + i) * K + k, block[i], wanted);
      }
    }
}

// D[N, K] (no gaps) = the first K columns of S[N, P] (row stride lds).
template <class T> static void trim(T* D, const T* S, i64 N, i64 K, i64 lds) {
  for (i64 n = 0; n < N; n++) std::memcpy(D + n * K, S + n * lds, K * sizeof(T));
}

// D[N, P] (row stride ldd) = S[N, K] (no gaps), zero for K <= k < P.
template <class T> static void widen(T* D, i64 ldd, const T* S, i64 N, i64 K, i64 P) {
  for (i64 n = 0; n < N; n++) {
    std::memcpy(D + n * ldd, S + n * K, K * sizeof(T));
    std::memset(D + n * ldd + K, 0, (P - K) * sizeof(T));
  }
}

}  // namespace
