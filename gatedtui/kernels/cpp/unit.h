// One time step of the three units, forward and backward: section 3 of Chung et al. (2014), arXiv:1412.3555.
//
// Sizes: H hidden units, G gates, B rows; M <= B rows are alive at the step at hand. Every axis of H numbers is padded
// to P, the next whole number of vectors. The gates of a frame follow each other: [G, P], GP = G * P numbers a frame.
// Gate order: tanh: the candidate. GRU: r, z, candidate. LSTM: i, f, candidate, o.
//
// INVARIANT. The padded lanes H … P-1 of every state, of every gate's argument and of every gradient are zero. It holds
// because weights and biases are zero there: an argument is then 0 + 0 h, so tanh, GRU and LSTM give h = c = 0, and
// a gradient arriving as 0 stays 0. Nothing has to be masked, and sums over P are sums over H.
#pragma once
#include "gemm.h"

namespace {

enum class Kind : i32 { TANH = 0, GRU = 1, LSTM = 2 };
INLINE i64 gates_of(Kind kind) { return kind == Kind::TANH ? 1 : kind == Kind::GRU ? 3 : 4; }

// What a step reads and writes; pointers to the first of M rows, row strides P (states) and GP (gates).
template <class T> struct StepForward {
  i64 M;
  const T* h_before;  // [M, P] h_{t-1}
  const T* c_before;  // [M, P] c_{t-1}; LSTM
  T* gates;           // [M, GP] in: W x_t + b; out: the gates' values. For tanh it is h itself
  T* h;               // [M, P] out; may not overlap h_before
  T* c;               // [M, P] out; LSTM
};

template <class T> struct StepBackward {
  i64 M;
  const T* from_above;  // [M, P] dL/dh_t as it arrives from outside the recurrence
  const T* gates;       // [M, GP] the values StepForward left
  const T* h_before;    // [M, P]
  const T* h;           // [M, P]
  const T* c_before;    // [M, P] LSTM
  const T* c;           // [M, P] LSTM
  T* dh;                // [M, P] in: dL/dh_t through step t+1; out: dL/dh_{t-1} through step t
  T* dc;                // [M, P] likewise for c; LSTM
  T* dgates;            // [M, GP] out: dL/d(argument of each gate)
  T* reset_h;           // [M, P] out: r * h_{t-1}, for the gradient of the candidate's U; GRU
  T* dV;                // [3, P] added to: the peepholes' gradients; LSTM
};

template <class T> class Unit {
 public:
  static constexpr int L = LANES<T>;
  const Kind kind;
  const i64 H, G, P, GP;

  Unit(Kind kind, i64 H) : kind(kind), H(H), G(gates_of(kind)), P(round_up(H, L)), GP(G * P) {}

  // Packs copies of U [G*H, H] and of the peepholes V [3, H] (null but for the LSTM); `backward` also for `backward`.
  void set(const T* U, const T* V, bool backward) {
    const i64 first = kind == Kind::GRU ? 2 : G;  // gates whose U multiplies h itself; the GRU's candidate stands apart
    T* u = forward_.need(H * GP);
    pack_transposed<T>(u, U, H, H, H, P, first);
    if (kind == Kind::GRU) pack_transposed<T>(u + H * 2 * P, U + 2 * H * H, H, H, H, P);
    if (kind == Kind::LSTM) widen<T>(V_.need(3 * P), P, V, 3, H, P);
    if (!backward) return;
    T* d = backward_.need(G * H * P);
    pack<T>(d, U, first * H, H, H, 0, first * H);
    if (kind == Kind::GRU) pack<T>(d + 2 * H * P, U + 2 * H * H, H, H, H, 0, H);
  }

  // SPLIT as in `gemm`: false makes a row's values independent of its company, to the bit.
  template <bool SPLIT = true> FORCE_INLINE void forward(const StepForward<T>& s) {
    switch (kind) {
      case Kind::TANH: return tanh_forward<SPLIT>(s);
      case Kind::GRU: return gru_forward<SPLIT>(s);
      case Kind::LSTM: return lstm_forward<SPLIT>(s);
    }
  }

  FORCE_INLINE void backward(const StepBackward<T>& s) {
    switch (kind) {
      case Kind::TANH: return tanh_backward(s);
      case Kind::GRU: return gru_backward(s);
      case Kind::LSTM: return lstm_backward(s);
    }
  }

 private:
  typedef Vec<T> V;
  Buffer<T> forward_;    // panels of U transposed, [H, GP]; GRU: of r and z, [H, 2P], then of the candidate, [H, P]
  Buffer<T> backward_;   // panels of U, [G*H, P]; GRU: of r and z, [2H, P], then of the candidate, [H, P]
  Buffer<T> V_;          // [3, P] peepholes of i, f, o
  Buffer<T> scratch_;    // [B, P] GRU: r * h forward, dL/d(r * h) backward

  Broadcast<T> states(const T* h) const { return {h, P, H}; }
  Broadcast<T> gates(const T* g, i64 count) const { return {g, GP, H, count, P}; }

  // ---- tanh:  h_t = tanh(W x_t + U h_{t-1} + b)

  template <bool SPLIT> FORCE_INLINE void tanh_forward(const StepForward<T>& s) {
    gemm<T, Order::ROWS, Start::ADD, SPLIT>(s.M, P, states(s.h_before), {forward_.get()}, s.h, P);
    for (i64 j = 0; j < s.M * P; j += L) store(s.h + j, tanh<T>(load(s.h + j)));
  }

  FORCE_INLINE void tanh_backward(const StepBackward<T>& s) {
    for (i64 j = 0; j < s.M * P; j += L) {
      const V h = load(s.h + j), dh = load(s.from_above + j) + load(s.dh + j);
      store(s.dgates + j, dh * ((T)1 - h * h));
    }
    gemm<T, Order::ROWS, Start::ZERO>(s.M, P, gates(s.dgates, 1), {backward_.get()}, s.dh, P);
  }

  // ---- GRU:  r = σ(W_r x + U_r h + b_r)   z = σ(W_z x + U_z h + b_z)   h̃ = tanh(W x + U (r ⊙ h) + b)
  //            h_t = (1 - z) ⊙ h_{t-1} + z ⊙ h̃

  template <bool SPLIT> FORCE_INLINE void gru_forward(const StepForward<T>& s) {
    T* const reset_h = scratch_.need(s.M * P);
    gemm<T, Order::ROWS, Start::ADD, SPLIT>(s.M, 2 * P, states(s.h_before), {forward_.get()}, s.gates, GP);
    for (i64 m = 0; m < s.M; m++) {
      T* g = s.gates + m * GP;
      for (i64 j = 0; j < P; j += L) {
        const V r = sigmoid<T>(load(g + j)), z = sigmoid<T>(load(g + P + j));
        store(g + j, r);
        store(g + P + j, z);
        store(reset_h + m * P + j, r * load(s.h_before + m * P + j));
      }
    }
    gemm<T, Order::ROWS, Start::ADD, SPLIT>(s.M, P, states(reset_h), {forward_.get() + H * 2 * P}, s.gates + 2 * P, GP);
    for (i64 m = 0; m < s.M; m++) {
      T* g = s.gates + m * GP;
      for (i64 j = 0; j < P; j += L) {
        const V z = load(g + P + j), candidate = tanh<T>(load(g + 2 * P + j)), before = load(s.h_before + m * P + j);
        store(g + 2 * P + j, candidate);
        store(s.h + m * P + j, before + z * (candidate - before));
      }
    }
  }

  FORCE_INLINE void gru_backward(const StepBackward<T>& s) {
    T* const d_reset_h = scratch_.need(s.M * P);
    for (i64 m = 0; m < s.M; m++) {
      const T* g = s.gates + m * GP;
      T *dg = s.dgates + m * GP, *dh_row = s.dh + m * P;
      for (i64 j = 0; j < P; j += L) {
        const V dh = load(s.from_above + m * P + j) + load(dh_row + j), before = load(s.h_before + m * P + j);
        const V z = load(g + P + j), candidate = load(g + 2 * P + j);
        store(dg + 2 * P + j, dh * z * ((T)1 - candidate * candidate));
        store(dg + P + j, dh * (candidate - before) * z * ((T)1 - z));
        store(dh_row + j, dh * ((T)1 - z));
      }
    }
    gemm<T, Order::ROWS, Start::ZERO>(s.M, P, gates(s.dgates + 2 * P, 1), {backward_.get() + 2 * H * P}, d_reset_h, P);
    for (i64 m = 0; m < s.M; m++) {
      const T* g = s.gates + m * GP;
      T *dg = s.dgates + m * GP, *dh_row = s.dh + m * P;
      for (i64 j = 0; j < P; j += L) {
        const V d = load(d_reset_h + m * P + j), r = load(g + j), reset_h = r * load(s.h_before + m * P + j);
        store(s.reset_h + m * P + j, reset_h);
        store(dg + j, d * reset_h * ((T)1 - r));
        store(dh_row + j, load(dh_row + j) + d * r);
      }
    }
    gemm<T, Order::ROWS, Start::ADD>(s.M, P, gates(s.dgates, 2), {backward_.get()}, s.dh, P);
  }

  // ---- LSTM:  i = σ(W_i x + U_i h + V_i ⊙ c_{t-1} + b_i)   f = σ(W_f x + U_f h + V_f ⊙ c_{t-1} + b_f)
  //             c̃ = tanh(W_c x + U_c h + b_c)   c_t = f ⊙ c_{t-1} + i ⊙ c̃
  //             o = σ(W_o x + U_o h + V_o ⊙ c_t + b_o)   h_t = o ⊙ tanh(c_t)

  template <bool SPLIT> FORCE_INLINE void lstm_forward(const StepForward<T>& s) {
    const T *V_i = V_.get(), *V_f = V_i + P, *V_o = V_f + P;
    gemm<T, Order::ROWS, Start::ADD, SPLIT>(s.M, GP, states(s.h_before), {forward_.get()}, s.gates, GP);
    for (i64 m = 0; m < s.M; m++) {
      T* g = s.gates + m * GP;
      for (i64 j = 0; j < P; j += L) {
        const V c_before = load(s.c_before + m * P + j);
        const V i = sigmoid<T>(load(g + j) + load(V_i + j) * c_before);
        const V f = sigmoid<T>(load(g + P + j) + load(V_f + j) * c_before);
        const V candidate = tanh<T>(load(g + 2 * P + j));
        const V c = f * c_before + i * candidate;
        const V o = sigmoid<T>(load(g + 3 * P + j) + load(V_o + j) * c);
        store(g + j, i);
        store(g + P + j, f);
        store(g + 2 * P + j, candidate);
        store(g + 3 * P + j, o);
        store(s.c + m * P + j, c);
        store(s.h + m * P + j, o * tanh<T>(c));
      }
    }
  }

  FORCE_INLINE void lstm_backward(const StepBackward<T>& s) {
    const T *V_i = V_.get(), *V_f = V_i + P, *V_o = V_f + P;
    T *dV_i = s.dV, *dV_f = dV_i + P, *dV_o = dV_f + P;
    for (i64 m = 0; m < s.M; m++) {
      const T* g = s.gates + m * GP;
      T* dg = s.dgates + m * GP;
      for (i64 j = 0; j < P; j += L) {
        const V i = load(g + j), f = load(g + P + j), candidate = load(g + 2 * P + j), o = load(g + 3 * P + j);
        const V c = load(s.c + m * P + j), c_before = load(s.c_before + m * P + j), tanh_c = tanh<T>(c);
        const V dh = load(s.from_above + m * P + j) + load(s.dh + m * P + j);
        const V d_o = dh * tanh_c * o * ((T)1 - o);
        const V dc = load(s.dc + m * P + j) + dh * o * ((T)1 - tanh_c * tanh_c) + d_o * load(V_o + j);
        const V d_i = dc * candidate * i * ((T)1 - i), d_f = dc * c_before * f * ((T)1 - f);
        store(dg + j, d_i);
        store(dg + P + j, d_f);
        store(dg + 2 * P + j, dc * i * ((T)1 - candidate * candidate));
        store(dg + 3 * P + j, d_o);
        store(s.dc + m * P + j, dc * f + d_i * load(V_i + j) + d_f * load(V_f + j));
        store(dV_i + j, load(dV_i + j) + d_i * c_before);
        store(dV_f + j, load(dV_f + j) + d_f * c_before);
        store(dV_o + j, load(dV_o + j) + d_o * c);
      }
    }
    gemm<T, Order::ROWS, Start::ZERO>(s.M, P, gates(s.dgates, 4), {backward_.get()}, s.dh, P);
  }
};

}  // namespace
