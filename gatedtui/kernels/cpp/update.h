// The gradient's norm, rescaling, and the two update rules, on flat vectors: the equations of kernels/rules.py.
#pragma once
#include "vector_math.h"

namespace {

enum class Rule : i32 { RMSPROP = 0, ADAM = 1 };

// Mirrored by a ctypes.Structure.
struct Recipe {
  i64 rule;         // a Rule
  i64 clip_update;  // 0: rescale the gradient, 1: the change of the parameters
  double lr, momentum, averaging, eps, clip;
};

// What a rule remembers, each [n], owned by the caller; written. velocity: RMSProp alone.
template <class T> struct Memory {
  T* mean_square;
  T* mean;
  T* velocity;
  i64* updates;  // how many updates were done, this one not counted; written
};

// Σ v², in double over blocks of 4096 so that float loses nothing.
template <class T> static double square_sum(const T* v, i64 n) {
  constexpr int L = LANES<T>;
  double total = 0;
  for (i64 i = 0; i < n;) {
    const i64 end = std::min<i64>(n, i + 4096);
    Vec<T> s[4] = {};
    for (; i + 4 * L <= end; i += 4 * L)
      for (int k = 0; k < 4; k++) {
        const Vec<T> x = load(v + i + k * L);
        s[k] += x * x;
      }
    for (; i < end; i++) total += (double)v[i] * v[i];
    total += sum<T>(s[0] + s[1] + s[2] + s[3]);
  }
  return total;
}

INLINE double rescaling(double norm, double clip) { return clip > 0 && !(norm <= clip) ? clip / norm : 1; }

// Calls f(get, put) for every vector of [n], the last of which may be shorter: get(p) loads it from p, put(p, v) stores
// v at the same place of p.
template <class T, class F> INLINE void each_vector(i64 n, F f) {
  constexpr int L = LANES<T>;
  i64 i = 0;
  for (; i + L <= n; i += L) f([i](const T* p) { return load(p + i); }, [i](T* p, Vec<T> v) { store(p + i, v); });
  const i64 left = n - i;
  if (left > 0)
    f([i, left](const T* p) { return load_first(p + i, left); },
      [i, left](T* p, Vec<T> v) { store_first(p + i, v, left); });
}

// n ← ρ n + (1-ρ) g²   m ← ρ m + (1-ρ) g   Δ ← μ Δ - lr g / √(n - m² + ε)   w ← w + Δ      (Graves 2013, centred)
// w null: the change is left in Δ alone.
template <class T>
static void rmsprop(T* w, const T* g, i64 n, const Memory<T>& memory, const Recipe& recipe, double scale) {
  const T rho = (T)recipe.averaging, rest = (T)(1 - recipe.averaging), mu = (T)recipe.momentum;
  const T lr = (T)recipe.lr, eps = (T)recipe.eps;
  each_vector<T>(n, [&](auto get, auto put) {
    const Vec<T> x = get(g) * (T)scale;
    const Vec<T> square = get(memory.mean_square) * rho + x * x * rest, mean = get(memory.mean) * rho + x * rest;
    Vec<T> variance = square - mean * mean;
    variance = variance < 0 ? Vec<T>{} : variance;  // rounding can leave it just below zero; NaN stays
    const Vec<T> change = get(memory.velocity) * mu - x * lr / sqrt<T>(variance + eps);
    put(memory.mean_square, square);
    put(memory.mean, mean);
    put(memory.velocity, change);
    if (w) put(w, get(w) + change);
  });
}

// m ← β₁ m + (1-β₁) g   v ← β₂ v + (1-β₂) g²   w ← w - lr m̂ / (√v̂ + ε)                   (Kingma & Ba 2015)
// w null: the change goes to `change` [n] instead.
template <class T>
static void adam(T* w, const T* g, i64 n, const Memory<T>& memory, const Recipe& recipe, double scale, T* change) {
  const T beta1 = (T)recipe.momentum, rest1 = (T)(1 - recipe.momentum);
  const T beta2 = (T)recipe.averaging, rest2 = (T)(1 - recipe.averaging);
  const double t = (double)*memory.updates + 1;
  const T rate = (T)(recipe.lr / (1 - std::pow(recipe.momentum, t))), eps = (T)recipe.eps;
  const T root = (T)(1 / std::sqrt(1 - std::pow(recipe.averaging, t)));
  each_vector<T>(n, [&](auto get, auto put) {
    const Vec<T> x = get(g) * (T)scale;
    const Vec<T> mean = get(memory.mean) * beta1 + x * rest1, square = get(memory.mean_square) * beta2 + x * x * rest2;
    const Vec<T> step = rate * mean / (sqrt<T>(square) * root + eps);
    put(memory.mean, mean);
    put(memory.mean_square, square);
    if (w) put(w, get(w) - step);
    else put(change, -step);
  });
}

// w ← w + scale · change
template <class T> static void add_change(T* w, const T* change, i64 n, double scale) {
  each_vector<T>(n, [&](auto get, auto put) { put(w, get(w) + get(change) * (T)scale); });
}

// One update of w [n] in place from the gradient g [n], which is only read; `norm` is g's. scratch: used where Adam's
// change is rescaled. A NaN or infinite gradient does to w what the arithmetic of rules.py does.
template <class T>
static void update(T* w, const T* g, i64 n, double norm, const Memory<T>& memory, const Recipe& recipe,
                   Buffer<T>& scratch) {
  const double scale = recipe.clip_update ? 1 : rescaling(norm, recipe.clip);
  if (!(recipe.clip_update && recipe.clip > 0)) {
    if ((Rule)recipe.rule == Rule::RMSPROP) rmsprop<T>(w, g, n, memory, recipe, scale);
    else adam<T>(w, g, n, memory, recipe, scale, nullptr);
  } else {
    T* change = memory.velocity;
    if ((Rule)recipe.rule == Rule::RMSPROP) rmsprop<T>(nullptr, g, n, memory, recipe, scale);
    else adam<T>(nullptr, g, n, memory, recipe, scale, change = scratch.need(n));
    add_change<T>(w, change, n, rescaling(std::sqrt(square_sum<T>(change, n)), recipe.clip));
  }
  ++*memory.updates;
}

}  // namespace
