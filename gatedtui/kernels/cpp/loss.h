// A standard head by itself, on any frames of padded arrays: what `kernels.nll` calls.
#pragma once
#include "head.h"

namespace {

template <class T> struct LossCall {
  HeadWeights<const T> weights;  // read
  const T* h;        // [R, H] all frames, live or dead; read at the live ones
  const T* target;   // [R, D] likewise
  const i64* place;  // [N] the live frames' rows of h and target, or null: all R are live
  i64 frames;        // N
  const T* scales;   // [R] one factor a frame for the gradients; or null: 1
  T* nll;            // [R] written at the live frames; or null
  T* dh;             // [R, H] written at the live frames; null: no gradients
  HeadWeights<T> gradients;  // written with dh
};

template <class T> class FrameLoss {
 public:
  Head<T> head;
  Stages stages;

  FrameLoss(Loss loss, i64 H, i64 M, i64 D) : head(loss, H, M, D) {}

  // False: a Bernoulli or NADE target is neither 0 nor 1, and nothing was written.
  bool call(const LossCall<T>& a) {
    stages.start();
    if (!set_target(a)) return false;
    const i64 H = head.H, P = head.P;
    head.set_weights(a.weights, a.dh);
    if (a.dh) head.begin_backward();
    T *h = h_.need(LOSS_CHUNK * P), *dh = a.dh ? dh_.need(LOSS_CHUNK * P) : nullptr, *nll = nll_.need(LOSS_CHUNK);
    T* scales = a.scales ? scales_.need(a.frames) : nullptr;
    for (i64 f = 0; scales && f < a.frames; f++) scales[f] = a.scales[row(a, f)];
    for (i64 first = 0; first < a.frames; first += LOSS_CHUNK) {
      const i64 F = std::min(LOSS_CHUNK, a.frames - first);
      for (i64 f = 0; f < F; f++) widen<T>(h + f * P, P, a.h + row(a, first + f) * H, 1, H, P);
      head.chunk(first, F, h, target_, nll, 1, scales, dh, stages);
      for (i64 f = 0; f < F; f++) {
        const i64 r = row(a, first + f);
        if (a.nll) a.nll[r] = nll[f];
        if (a.dh) std::memcpy(a.dh + r * H, dh + f * P, H * sizeof(T));
      }
    }
    if (a.dh) head.weight_gradients(a.gradients);
    return true;
  }

 private:
  static constexpr i64 LOSS_CHUNK = 192;
  Buffer<T> h_, dh_;           // [F, P] of one chunk
  Buffer<T> nll_;              // [F]
  Buffer<T> scales_;           // [N]
  Buffer<T> dense_;            // [N, D]
  Buffer<i32> index_, begin_;  // the target as lists
  Frames<T> target_{};

  static i64 row(const LossCall<T>& a, i64 f) { return a.place ? a.place[f] : f; }

  bool set_target(const LossCall<T>& a) {
    const i64 D = head.D;
    if (head.loss == Loss::MIXTURE) {
      T* dense = dense_.need(a.frames * D);
      for (i64 f = 0; f < a.frames; f++) std::memcpy(dense + f * D, a.target + row(a, f) * D, D * sizeof(T));
      target_ = {dense, nullptr, nullptr};
      return true;
    }
    const i64 most = a.frames * D;
    i32 *index = index_.need(most + D), *begin = begin_.need(a.frames + 1);
    target_ = {nullptr, index, begin};
    return list_ones<T>(a.frames, D, [&](i64 f) { return a.target + row(a, f) * D; }, most, index, begin);
  }
};

}  // namespace
