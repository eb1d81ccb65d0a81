// A recurrent layer by itself, between padded arrays: what `kernels.scan` calls.
//
// A Scan owns everything its backward pass needs: copies of the weights, the states, the gates and, unless the
// minibatch is whole, the inputs. Nothing another call does can change it.
#pragma once
#include "recurrence.h"

namespace {

template <class T> struct ScanForward {
  const T* x;    // [T, B, I] read; kept by the caller until the backward pass
  const T* h0;   // [B, H] or null: zero
  const T* c0;   // [B, H] or null: zero; LSTM
  T* h;          // [T, B, H] written at the live frames alone
  T* h_last;     // [B, H] written
  T* c_last;     // [B, H] written; LSTM, else null
  i64 backward;  // whether a backward pass may follow
  i64 wants_dx;  // whether it will ask for dL/dx
};

template <class T> struct ScanBackward {
  const T* dh;       // [T, B, H] or null: zero; never read in dead frames
  const T* dh_last;  // [B, H] or null: zero
  const T* dc_last;  // [B, H] or null: zero; LSTM
  WeightGradients<T> weights;  // written; null members are left out
  T* dx;             // [T, B, I] written at the live frames alone; or null
  T* dh0;            // [B, H] written, or null
  T* dc0;            // [B, H] written, or null; LSTM
};

template <class T> class Scan {
 public:
  Recurrence<T> layer;
  Stages stages;

  Scan(Kind kind, i64 I, i64 H) : layer(kind, I, H) {}

  void forward(const Weights<T>& weights, const Shape& shape, const ScanForward<T>& a) {
    stages.start();
    Plan& plan = layer.plan;
    plan.set(shape);
    layer.set_weights(weights, a.backward, a.wants_dx);
    stages.end(Stage::WEIGHTS);
    layer.begin(frames(a.x, a.wants_dx), a.h0, a.c0, true);
    const auto cut = plan.cuts(CHUNK);
    for (std::size_t k = 0; k + 1 < cut.size(); k++) {
      layer.forward(cut[k], cut[k + 1], stages);
      scatter<T>(a.h, layer.states(cut[k]), layer.P, layer.H, plan, cut[k], cut[k + 1]);
    }
    layer.final_states(a.h_last, a.c_last);
  }

  void backward(const ScanBackward<T>& a) {
    stages.start();
    const Plan& plan = layer.plan;
    const auto cut = plan.cuts(CHUNK);
    const i64 most = plan.largest_chunk(CHUNK), I = layer.I, width = round_up(I, LANES<T>);
    layer.begin_backward(a.dh_last, a.dc_last);
    T* from_above = from_above_.need(most * layer.P);
    T* dx = a.dx ? dx_.need(most * width) : nullptr;
    if (!a.dh) std::memset(from_above, 0, most * layer.P * sizeof(T));
    for (std::size_t k = cut.size() - 1; k-- > 0;) {
      if (a.dh) gather<T>(from_above, layer.P, layer.P, a.dh, layer.H, plan, cut[k], cut[k + 1]);
      layer.backward(cut[k], cut[k + 1], from_above, dx, stages);
      if (dx) scatter<T>(a.dx, dx, width, I, plan, cut[k], cut[k + 1]);
    }
    layer.weight_gradients(a.weights);
    layer.initial_gradients(a.dh0, a.dc0);
  }

  double padding() const { return layer.padding(layer.plan.begin[layer.plan.chunk_end(0, CHUNK)]); }

 private:
  Buffer<T> x_;                // [N, I] inputs in packed order, unless padded order is the same
  Buffer<i32> index_, begin_;  // the inputs as lists
  Buffer<T> from_above_, dx_;  // of one chunk: [F, P], [F, round_up(I, LANES)]

  // Zeros and ones become lists, which is sooner; but not where dL/dx is wanted: such an x is another layer's h.
  Frames<T> frames(const T* x, bool wants_dx) {
    const Plan& plan = layer.plan;
    const i64 I = layer.I, most = plan.frames * I / 4;  // with more than one in four, lists no longer pay
    if (!plan.whole()) gather<T>(x_.need(plan.frames * I), I, I, x, I, plan, 0, plan.steps);
    const T* packed = plan.whole() ? x : x_.get();
    const auto row = [&](i64 f) { return packed + f * I; };
    if (!wants_dx && list_ones<T>(plan.frames, I, row, most, index_.need(most + I), begin_.need(plan.frames + 1)))
      return {nullptr, index_.get(), begin_.get()};
    return {packed, nullptr, nullptr};
  }
};

}  // namespace
