// The joint output: the distribution of each pitch given h and the pitches below it (RNN-NADE, Boulanger-Lewandowski,
// Bengio and Vincent 2012; NADE, Larochelle and Murray 2011). Of the D + N numbers a = weight h + bias the first D are
// the visible biases, the other N the hidden ones:
//
//   c_0 = a[D …]    s_k = σ(c_k)    z_k = a[k] + V_k · s_k    c_{k+1} = c_k + y_k W_k    p(y_k = 1 | h, y_<k) = σ(z_k)
//   -log p(y | h) = Σ_k softplus(z_k) - Σ_{k: y_k = 1} z_k
//
// c changes only behind a pitch that sounds, about 4 of 88, so that all pitches up to the next one share one s: a frame
// of `ones` pitches takes ones + 1 times N logistics instead of D times N, and the products D times N of any output layer.
// Backward with d_k = dL/dz_k, from the last stretch of pitches to the first:
//
//   dV_k = d_k s_k    dL/ds = Σ_k of the stretch d_k V_k    dL/dc += dL/ds s (1 - s)    dW_k = dL/dc behind pitch k
//
// INVARIANT. V and W are zero in their padded lanes, so whatever stands in those of s reaches no z and no dL/dc.
#pragma once
#include "batch.h"

namespace {

template <class T> class Nade {
 public:
  typedef Vec<T> Vector;
  static constexpr int L = LANES<T>;
  const i64 D, N, P;  // pitches, hidden units, hidden units in whole vectors

  Nade(i64 D, i64 N) : D(D), N(N), P(round_up(N, L)) {}

  // V and W [D, N] without gaps; copied.
  void set_weights(const T* V, const T* W) {
    widen<T>(V_.need(D * P), P, V, D, N, P);
    widen<T>(W_.need(D * P), P, W, D, N, P);
    c_.need(P), ds_.need(P), s_.need((D + 1) * P), sums_.need(round_up(D, L) * L);
    z_.need(round_up(D, L)), d_.need(round_up(D, L));
  }

  void begin_backward() {
    std::memset(dV_.need(D * P), 0, D * P * sizeof(T));
    std::memset(dW_.need(D * P), 0, D * P * sizeof(T));
  }

  // The gradients of all frames since begin_backward, [D, N] each without gaps.
  void weight_gradients(T* V, T* W) const {
    trim<T>(V, dV_.get(), D, N, P);
    trim<T>(W, dW_.get(), D, N, P);
  }

  // One frame with the ones at on[0] < on[1] < … ; `a` [D + N]. Gives its NLL, and with `gradient` replaces `a` by
  // dL/da of L = weight · NLL and adds to the gradients of V and W.
  T frame(T* a, const i32* on, i64 ones, T weight, bool gradient) {
    const T on_sum = logits(a, on, ones);
    Vector s = {}, product = splat<T>(1);
    for (i64 k = 0, n = 1; k < D; k += L, n++) {  // a logarithm of a product of at most 64 factors, as in head.h
      const Vector z = load(z_.get() + k), e = exp<T>(-abs<T>(z)), u = (T)1 + e, p = weight / u;
      s += z > 0 ? z : Vector{};
      product *= u;
      if (n % 64 == 0) {
        s += log<T>(product);
        product = splat<T>(1);
      }
      store(d_.get() + k, z > 0 ? p : e * p);
    }
    const T nll = sum<T>(s + log<T>(product)) - on_sum;
    if (gradient) backward(a, on, ones, weight);
    return nll;
  }

  // ---- drawing: the pitches of a frame one after the other

  void begin_frame(const T* a) {
    std::memcpy(c_.get(), a + D, N * sizeof(T));
    logistic(s_.get());
  }
  T logit(const T* a, i64 k) const {
    Vector s = {};
    for (i64 n = 0; n < P; n += L) s += load(s_.get() + n) * load(V_.get() + k * P + n);
    return a[k] + sum<T>(s);
  }
  void sounds(i64 k) {
    advance(k);
    logistic(s_.get());
  }

 private:
  Buffer<T> V_, W_, dV_, dW_;  // [D, P]
  Buffer<T> c_, ds_;           // [P] c or dL/dc; dL/ds
  Buffer<T> s_;                // [ones + 1, P] σ(c) of each stretch
  Buffer<T> sums_;             // [D, L] products V_k · s not yet summed over lanes
  Buffer<T> z_, d_;            // [D] logits, and the gradient there

  void logistic(T* s) {
    for (i64 n = 0; n < P; n += L) store(s + n, sigmoid<T>(load(c_.get() + n)));
  }
  void advance(i64 k) {
    for (i64 n = 0; n < P; n += L) store(c_.get() + n, load(c_.get() + n) + load(W_.get() + k * P + n));
  }

  // z [D], and in the padded lanes a number whose softplus is 0; gives the sum of the logits of the ones.
  T logits(const T* a, const i32* on, i64 ones) {
    std::memcpy(c_.get(), a + D, N * sizeof(T));
    i64 k = 0;
    for (i64 j = 0; j <= ones; j++) {
      T* s = s_.get() + j * P;
      logistic(s);
      const i64 end = j < ones ? on[j] + 1 : D;
      products(s, k, end);
      if (j < ones) advance(on[j]);
      k = end;
    }
    for (i64 first = 0; first < D; first += L) {
      Vector rows[L];
      for (int i = 0; i < L; i++) rows[i] = load(sums_.get() + (first + i) * L);
      transpose<T>(rows);
      const i64 there = std::min<i64>(L, D - first);
      Vector z = load_first(a + first, there);
      for (int i = 0; i < L; i++) z += rows[i];
      store(z_.get() + first, z);
    }
    for (i64 p = D; p < round_up(D, L); p++) z_.get()[p] = (T)-1000;
    T on_sum = 0;
    for (i64 j = 0; j < ones; j++) on_sum += z_.get()[on[j]];
    return on_sum;
  }

  // Four pitches at a time share each vector of s that is loaded.
  void products(const T* s, i64 k, i64 end) {
    for (; k + 4 <= end; k += 4) stretch<4>(s, k);
    for (; k < end; k++) stretch<1>(s, k);
  }
  template <int R> INLINE void stretch_of(const T* s, const T* V, i64 P, T* sums) {
    Vector x[R] = {};
    for (i64 n = 0; n < P; n += L) {
      const Vector at = load(s + n);
#pragma GCC unroll 4
      for (int i = 0; i < R; i++) x[i] += at * load(V + i * P + n);
    }
#pragma GCC unroll 4
    for (int i = 0; i < R; i++) store(sums + i * L, x[i]);
  }
  template <int R> void stretch(const T* s, i64 k) { stretch_of<R>(s, V_.get() + k * P, P, sums_.get() + k * L); }

  void backward(T* a, const i32* on, i64 ones, T weight) {
    T* d = d_.get();
    for (i64 j = 0; j < ones; j++) d[on[j]] -= weight;
    T* dc = c_.get();
    std::memset(dc, 0, P * sizeof(T));
    i64 end = D;
    for (i64 j = ones; j >= 0; j--) {
      const i64 begin = j ? on[j - 1] + 1 : 0;
      const T* s = s_.get() + j * P;
      std::memset(ds_.get(), 0, P * sizeof(T));
      i64 k = begin;
      for (; k + 4 <= end; k += 4) back<4>(d + k, s, V_.get() + k * P, dV_.get() + k * P, ds_.get(), P);
      for (; k < end; k++) back<1>(d + k, s, V_.get() + k * P, dV_.get() + k * P, ds_.get(), P);
      for (i64 n = 0; n < P; n += L) {
        const Vector x = load(s + n);
        store(dc + n, load(dc + n) + load(ds_.get() + n) * x * ((T)1 - x));
      }
      if (j) {
        T* dW = dW_.get() + on[j - 1] * P;
        for (i64 n = 0; n < P; n += L) store(dW + n, load(dW + n) + load(dc + n));
      }
      end = begin;
    }
    std::memcpy(a, d, D * sizeof(T));
    std::memcpy(a + D, dc, N * sizeof(T));
    std::memset(dc, 0, P * sizeof(T));  // the padded lanes of c are zero
  }
  template <int R> INLINE void back(const T* d, const T* s, const T* V, T* dV, T* ds, i64 P) {
    for (i64 n = 0; n < P; n += L) {
      const Vector at = load(s + n);
      Vector x = load(ds + n);
#pragma GCC unroll 4
      for (int i = 0; i < R; i++) {
        x += d[i] * load(V + i * P + n);
        store(dV + i * P + n, load(dV + i * P + n) + d[i] * at);
      }
      store(ds + n, x);
    }
  }
};

}  // namespace
