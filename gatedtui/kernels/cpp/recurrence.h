// One recurrent layer over a packed minibatch: inputs times W, the loop over time, the gradients of its weights.
//
// The forward pass keeps every state and gate. The backward pass streams: chunks of about CHUNK frames, whole time
// steps each, from the last to the first; the gradients at the gates' arguments of a chunk are turned into weight
// gradients while they are in the cache, and never exist for the whole sequence (1.5 times as fast at T 798).
#pragma once
#include "batch.h"
#include "stages.h"
#include "unit.h"

namespace {

constexpr i64 CHUNK = 192;  // frames; 128 … 256 measured alike

// In torch's layout: row-major without gaps, the gates' blocks of H rows one after the other. Owned by the caller.
template <class T> struct Weights {
  const T* W;  // [G*H, I]
  const T* U;  // [G*H, H]
  const T* b;  // [G*H]
  const T* V;  // [3, H]; LSTM, else null
};
template <class T> struct WeightGradients {
  T* W;
  T* U;
  T* b;
  T* V;
};

template <class T> class Recurrence {
 public:
  typedef Vec<T> V;
  static constexpr int L = LANES<T>;
  Unit<T> unit;
  const i64 I, H, P, GP;
  Plan plan;

  Recurrence(Kind kind, i64 I, i64 H) : unit(kind, H), I(I), H(H), P(unit.P), GP(unit.GP) {}

  // ---- forward

  // Copies the weights into the layouts the kernels want; the caller's may change afterwards.
  void set_weights(const Weights<T>& w, bool backward, bool input_gradient) {
    unit.set(w.U, w.V, backward);
    T* Wt = W_.need(I * GP);
    for (i64 q = 0; q < unit.G; q++) transpose_matrix<T>(Wt + q * P, GP, w.W + q * H * I, H, I, P);
    widen<T>(b_.need(GP), P, w.b, unit.G, H, P);
    if (input_gradient) pack<T>(W_back_.need(panel_size<T>(unit.G * H, I)), w.W, unit.G * H, I, I, 0, unit.G * H);
  }

  // Begins a forward pass over `plan`. h0, c0: [B, H] in the rows' given order, null for zero; c0 for the LSTM alone.
  // x is only read, and must stay as it is until the backward pass is over. `keep` false: only the states
  // of one chunk at a time are kept, see `advance`, and there is no backward pass.
  void begin(const Frames<T>& x, const T* h0, const T* c0, bool keep) {
    x_ = x;
    if (!x.dense) let_nan_through();
    keep_ = keep;
    origin_ = 0;
    const i64 frames = keep ? plan.frames : plan.largest_chunk(CHUNK);
    start(h_.need((plan.rows + frames) * P), h0);
    if (unit.kind == Kind::LSTM) start(c_.need((plan.rows + frames) * P), c0);
    if (unit.kind != Kind::TANH) gates_.need(frames * GP);
  }

  // Steps t0 … t1; t0 is where the last call ended.
  void forward(i64 t0, i64 t1, Stages& stages) {
    if (!keep_ && t0 > 0) advance(t0);
    project(t0, t1);
    stages.end(Stage::INPUT);
    for (i64 t = t0; t < t1; t++)
      unit.forward({plan.live(t), h_.get() + before(t) * P, cells(before(t)), gates(t), h_.get() + slot(t) * P,
                    cells(slot(t))});
    stages.end(Stage::RECURRENCE);
  }

  // h of the frames of step t and of those that follow it, [·, P].
  const T* states(i64 t) const { return h_.get() + slot(t) * P; }

  // The state [B, H] after each row's last step, in the rows' given order; after a forward pass with `keep`.
  void final_states(T* h, T* c) const {
    for (i64 m = 0; m < plan.rows; m++) {
      const i64 last = last_slot(m), row = plan.given_row(m);
      std::memcpy(h + row * H, h_.get() + last * P, H * sizeof(T));
      if (c) std::memcpy(c + row * H, c_.get() + last * P, H * sizeof(T));
    }
  }

  // ---- backward

  // Begins a backward pass: all gradients zero. dh, dc: [B, H] at the states after each row's last step, in the rows'
  // given order, null for zero.
  void begin_backward(const T* dh, const T* dc) {
    const i64 frames = plan.largest_chunk(CHUNK), G = unit.G;
    last_dh_ = dh;
    last_dc_ = dc;
    zero(dh_.need(plan.rows * P), plan.rows * P);
    if (unit.kind == Kind::LSTM) zero(dc_.need(plan.rows * P), plan.rows * P);
    dgates_.need(frames * GP);
    before_.need(frames * P);
    if (unit.kind == Kind::GRU) reset_h_.need(frames * P);
    zero(dW_.need(I * GP), I * GP);
    zero(dU_.need(G * H * P), G * H * P);
    zero(db_.need(GP), GP);
    zero(dV_.need(3 * P), 3 * P);
  }

  // Steps t1-1 … t0, one chunk. from_above [F, P]: dL/dh of the chunk's frames, zero in padded lanes.
  // dx: null, or [F, round_up(I, LANES)]: dL/dx of the chunk's frames, written.
  void backward(i64 t0, i64 t1, const T* from_above, T* dx, Stages& stages) {
    const i64 first = plan.begin[t0], frames = plan.begin[t1] - first;
    for (i64 t = t1; t-- > t0;) {
      const i64 M = plan.live(t), f = plan.begin[t] - first;
      join(t);
      std::memcpy(before_.get() + f * P, h_.get() + before(t) * P, M * P * sizeof(T));
      T* reset_h = unit.kind == Kind::GRU ? reset_h_.get() + f * P : nullptr;
      unit.backward({M, from_above + f * P, gates(t), h_.get() + before(t) * P, h_.get() + slot(t) * P,
                     cells(before(t)), cells(slot(t)), dh_.get(), dc_.get(), dgates_.get() + f * GP, reset_h,
                     dV_.get()});
    }
    stages.end(Stage::BACKWARD);
    input_weight_gradient(first, frames);
    stages.end(Stage::INPUT_WEIGHTS);
    recurrent_weight_gradient(frames);
    stages.end(Stage::RECURRENT_WEIGHTS);
    if (dx) {  // dL/dx = dgates W
      const i64 width = round_up(I, L);
      gemm<T, Order::ROWS, Start::ZERO>(frames, I, {dgates_.get(), GP, H, unit.G, P}, {W_back_.get()}, dx, width);
      stages.end(Stage::INPUT_GRADIENT);
    }
  }

  // The gradients of all chunks so far, in the weights' layout; null members are left out.
  void weight_gradients(const WeightGradients<T>& g) const {
    if (g.W)
      for (i64 q = 0; q < unit.G; q++) transpose_back<T>(g.W + q * H * I, dW_.get() + q * P, I, H, GP);
    if (g.U) trim<T>(g.U, dU_.get(), unit.G * H, H, P);
    if (g.b) trim<T>(g.b, db_.get(), unit.G, H, P);
    if (g.V) trim<T>(g.V, dV_.get(), 3, H, P);
  }

  // dL/d(state before the first step) [B, H], in the rows' given order; after the chunk that begins with step 0.
  void initial_gradients(T* dh, T* dc) const {
    for (i64 m = 0; m < plan.rows; m++) {
      const i64 row = plan.given_row(m);
      if (dh) std::memcpy(dh + row * H, dh_.get() + m * P, H * sizeof(T));
      if (dc) std::memcpy(dc + row * H, dc_.get() + m * P, H * sizeof(T));
    }
  }

  // The largest absolute value in any padded lane of states, gates' gradients, carried gradients and weight gradients,
  // for the tests of the invariant; infinity for a NaN. After a backward pass; `frames` are those of its last chunk.
  double padding(i64 frames) const {
    double worst = 0;
    const auto look = [&](const Buffer<T>& buffer, i64 rows) {
      for (i64 r = 0; r < (buffer.get() ? rows : 0); r++)
        for (i64 j = H; j < P; j++) {
          const double v = std::abs((double)buffer.get()[r * P + j]);
          worst = v <= worst ? worst : std::isnan(v) ? std::numeric_limits<double>::infinity() : v;
        }
    };
    const i64 G = unit.G;
    look(h_, plan.rows + plan.frames);
    look(c_, plan.rows + plan.frames);
    for (const auto* buffer : {&dh_, &dc_}) look(*buffer, plan.rows);
    for (const auto* buffer : {&before_, &reset_h_}) look(*buffer, frames);
    look(dgates_, frames * G);
    look(dW_, I * G);
    look(dU_, G * H);
    look(db_, G);
    look(dV_, 3);
    return worst;
  }

 private:
  // Weights, copied by set_weights.
  Buffer<T> W_;       // [I, GP] W transposed, zero in padded lanes
  Buffer<T> b_;       // [GP] zero in padded lanes
  Buffer<T> W_back_;  // panels of W, [G*H, I]
  // States: B rows before the first step, then one row for each frame. Kept from forward to backward.
  Buffer<T> h_;      // [B + N, P]
  Buffer<T> c_;      // [B + N, P] LSTM
  Buffer<T> gates_;  // [N, GP] arguments, then values; tanh: unused, h serves
  // Of one chunk, or of the present step.
  Buffer<T> dh_, dc_;   // [B, P] dL/d(state), carried from step to step
  Buffer<T> dgates_;    // [F, GP]
  Buffer<T> before_;    // [F, P] h_{t-1} of each frame
  Buffer<T> reset_h_;   // [F, P] r * h_{t-1} of each frame; GRU
  // Sums over all chunks.
  Buffer<T> dW_, dU_, db_, dV_;  // [I, GP], [G*H, P], [GP], [3, P]
  Frames<T> x_{};
  const T *last_dh_ = nullptr, *last_dc_ = nullptr;
  bool keep_ = true;
  i64 origin_ = 0;  // the step whose frames come first in the buffers

  // Rows in the state buffers: of the states before step t, and of step t's own frames.
  i64 slot(i64 t) const { return plan.rows + plan.begin[t] - plan.begin[origin_]; }
  i64 before(i64 t) const { return t == origin_ ? 0 : slot(t - 1); }
  T* gates(i64 t) {
    return unit.kind == Kind::TANH ? h_.get() + slot(t) * P : gates_.get() + (plan.begin[t] - plan.begin[origin_]) * GP;
  }
  T* cells(i64 row) const { return unit.kind == Kind::LSTM ? c_.get() + row * P : nullptr; }
  i64 last_slot(i64 m) const {
    i64 low = 0, high = plan.steps;  // row m is alive at step `low`, and at none from `high` on
    while (high - low > 1) {
      const i64 middle = (low + high) / 2;
      (plan.live(middle) > m ? low : high) = middle;
    }
    return slot(low) + m;
  }

  static void zero(T* p, i64 n) { std::memset(p, 0, n * sizeof(T)); }
  void start(T* states, const T* given) {
    zero(states, plan.rows * P);
    if (given)
      for (i64 m = 0; m < plan.rows; m++) std::memcpy(states + m * P, given + plan.given_row(m) * H, H * sizeof(T));
  }

  // Without `keep`: the states before step t become the buffers' head, and what follows is free again.
  void advance(i64 t) {
    const i64 from = before(t), M = plan.live(t);
    std::memmove(h_.get(), h_.get() + from * P, M * P * sizeof(T));
    if (unit.kind == Kind::LSTM) std::memmove(c_.get(), c_.get() + from * P, M * P * sizeof(T));
    origin_ = t;
  }

  // With lists a column of W that no frame uses is never looked at, where the product with a zero would have shown a
  // NaN or an infinity in it. So 0 W, summed over the inputs, goes into the bias: zero, unless there is one.
  void let_nan_through() {
    for (i64 j = 0; j < GP; j += L) {
      V s = {};
      for (i64 i = 0; i < I; i++) s += load(W_.get() + i * GP + j) * (T)0;
      store(b_.get() + j, load(b_.get() + j) + s);
    }
  }

  // gates = W x + b for the frames of steps t0 … t1.
  void project(i64 t0, i64 t1) {
    const i64 first = plan.begin[t0], frames = plan.begin[t1] - first;
    T* out = gates(t0);
    if (x_.dense) {
      const T* x = x_.dense + first * I;
      gemm<T, Order::ROWS, Start::ROW_BIAS>(frames, GP, {x, I, I}, {W_.get(), GP}, out, GP, b_.get());
      return;
    }
    for (i64 f = first; f < first + frames; f++, out += GP) {  // x is 0 or 1: the sum of W's columns at the ones
      const i32 *one = x_.index + x_.begin[f], *end = x_.index + x_.begin[f + 1];
      i64 j = 0;
      for (; j + 3 * L <= GP; j += 3 * L) add_columns<3>(one, end, j, out);
      for (; j < GP; j += L) add_columns<1>(one, end, j, out);
    }
  }
  template <int N> void add_columns(const i32* one, const i32* end, i64 j, T* out) const {
    V s[N];
    for (int v = 0; v < N; v++) s[v] = load(b_.get() + j + v * L);
    for (; one < end; one++) {
      const T* w = W_.get() + *one * GP + j;
      for (int v = 0; v < N; v++) s[v] += load(w + v * L);
    }
    for (int v = 0; v < N; v++) store(out + j + v * L, s[v]);
  }

  // Rows that end with step t receive the gradient at their final state.
  void join(i64 t) {
    if (!last_dh_ && !last_dc_) return;
    for (i64 m = t + 1 < plan.steps ? plan.live(t + 1) : 0; m < plan.live(t); m++) {
      const i64 row = plan.given_row(m);
      if (last_dh_) std::memcpy(dh_.get() + m * P, last_dh_ + row * H, H * sizeof(T));
      if (last_dc_) std::memcpy(dc_.get() + m * P, last_dc_ + row * H, H * sizeof(T));
    }
  }

  // dW += dgates^T x and db += the sum of dgates over frames; dW as [I, GP].
  void input_weight_gradient(i64 first, i64 frames) {
    if (x_.dense) {
      gemm<T, Order::COLUMNS, Start::ADD>(I, GP, {x_.dense + first * I, I, frames}, {dgates_.get(), GP}, dW_.get(), GP);
      for (i64 j = 0; j < GP; j += L) {
        V s = load(db_.get() + j);
        for (i64 f = 0; f < frames; f++) s += load(dgates_.get() + f * GP + j);
        store(db_.get() + j, s);
      }
      return;
    }
    i64 j = 0;
    for (; j + 3 * L <= GP; j += 3 * L) scatter_columns<3>(first, frames, j);
    for (; j < GP; j += L) scatter_columns<1>(first, frames, j);
  }
  template <int N> void scatter_columns(i64 first, i64 frames, i64 j) {
    V s[N];
    for (int v = 0; v < N; v++) s[v] = load(db_.get() + j + v * L);
    for (i64 f = 0; f < frames; f++) {
      V d[N];
      for (int v = 0; v < N; v++) s[v] += d[v] = load(dgates_.get() + f * GP + j + v * L);
      for (i32 i = x_.begin[first + f]; i < x_.begin[first + f + 1]; i++) {
        T* w = dW_.get() + x_.index[i] * GP + j;
        for (int v = 0; v < N; v++) store(w + v * L, load(w + v * L) + d[v]);
      }
    }
    for (int v = 0; v < N; v++) store(db_.get() + j + v * L, s[v]);
  }

  // dU += dgates^T h_{t-1}; for the GRU's candidate dgates^T (r * h_{t-1}).
  void recurrent_weight_gradient(i64 frames) {
    for (i64 q = 0; q < unit.G; q++) {
      const T* h = unit.kind == Kind::GRU && q == 2 ? reset_h_.get() : before_.get();
      gemm<T, Order::COLUMNS, Start::ADD>(H, P, {dgates_.get() + q * P, GP, frames}, {h, P}, dU_.get() + q * H * P, P);
    }
  }
};

}  // namespace
