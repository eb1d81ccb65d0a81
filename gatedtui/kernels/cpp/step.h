// One recurrent layer and one standard head: the whole training step, and scoring.
//
// All parameters lie in one vector, in the order of network.py:
//   W [G*H, I]   U [G*H, H]   b [G*H]   V [3, H] (LSTM)   weight [O, H]   bias [O]   V, W [D, M] of the head (NADE)
#pragma once
#include "head.h"
#include "noise.h"
#include "recurrence.h"
#include "update.h"

namespace {

// Mirrored by a ctypes.Structure; everything is owned by the caller and only read.
template <class T> struct Minibatch {
  Shape shape;       // order is unused: rows come longest first
  Frames<T> x;       // [N, I]
  Frames<T> target;  // [N, D]: lists for Bernoulli and NADE, dense for the mixture
};

struct Noise {
  double std;          // 0: none
  i64 n;               // the first n parameters receive it: W and U
  std::uint64_t seed;
  std::uint64_t draw;  // which draw under this seed
};

// Mirrored likewise. Each number of the last layer's h reaches the head divided by `keep`, or not at all: where the normal
// number at its place, frame after frame in packed order, lies below `threshold`.
struct Dropout {
  double keep;       // share that stays; 1: none is dropped
  double threshold;  // a float
  std::uint64_t seed;
  std::uint64_t draw;
};

struct StepResult {
  double nll;   // summed over the minibatch's frames, nats
  double norm;  // of the gradient, before rescaling
  i64 updated;  // 0: nll or norm is not finite, and nothing was written
};

template <class T> class Step {
 public:
  Recurrence<T> layer;
  Head<T> head;
  Stages stages;
  const i64 size;  // parameters

  Step(Kind kind, i64 I, i64 H, Loss loss, i64 M, i64 D)
      : layer(kind, I, H), head(loss, H, M, D), size(places().end) {}

  // gradient [size] = d(scale · Σ nll)/d(parameters) at `parameters` [size]; written, may not overlap. Gives Σ nll.
  double gradient(const T* parameters, const Minibatch<T>& batch, double scale, T* gradient) {
    stages.start();
    return weighted_gradient(parameters, batch, scale, {1, 0, 0, 0}, gradient);
  }

  // The whole step: the gradient at noisy weights, rescaled and applied to the clean ones. parameters [size] and the
  // memory are written, unless the loss or the norm is not finite.
  StepResult step(T* parameters, const Minibatch<T>& batch, double scale, const Noise& noise, const Dropout& dropout,
                  const Recipe& recipe, const Memory<T>& memory) {
    stages.start();
    T* g = gradient_.need(size);
    StepResult result{};
    result.nll = weighted_gradient(noise.std ? noisy(parameters, noise) : parameters, batch, scale, dropout, g);
    result.norm = std::sqrt(square_sum<T>(g, size));
    result.updated = std::isfinite(result.nll) && std::isfinite(result.norm);
    if (result.updated) update<T>(parameters, g, size, result.norm, memory, recipe, scratch_);
    stages.end(Stage::UPDATE);
    return result;
  }

  // row_nll [B] = each row's NLL summed over its frames. Only a chunk's states are kept: long pieces stay in the cache.
  void score(const T* parameters, const Minibatch<T>& batch, double* row_nll) {
    stages.start();
    set_weights(parameters, batch, false);
    layer.begin(batch.x, nullptr, nullptr, false);
    T* nll = nll_.need(layer.plan.largest_chunk(CHUNK));
    std::fill(row_nll, row_nll + layer.plan.rows, 0.0);
    const auto cut = layer.plan.cuts(CHUNK);
    for (std::size_t k = 0; k + 1 < cut.size(); k++) {
      const i64 first = layer.plan.begin[cut[k]], frames = layer.plan.begin[cut[k + 1]] - first;
      layer.forward(cut[k], cut[k + 1], stages);
      head.chunk(first, frames, layer.states(cut[k]), batch.target, nll, 1, nullptr, nullptr, stages);
      for (i64 t = cut[k]; t < cut[k + 1]; t++)
        for (i64 m = 0; m < layer.plan.live(t); m++) row_nll[m] += nll[layer.plan.begin[t] - first + m];
    }
  }

 private:
  Buffer<T> noisy_, gradient_, scratch_;  // [size]
  Buffer<float> normal_, drop_;           // [noise.n], [N, H]
  Buffer<T> dropped_;                     // [F, P] h of a chunk as the head sees it
  Buffer<T> dh_;                          // [F, P] dL/dh of a chunk, from the head to the layer
  Buffer<T> nll_;                         // [F]

  const T* noisy(const T* parameters, const Noise& noise) {
    float* z = normal_.need(noise.n);
    gated_normal_numbers(noise.seed, (std::uint32_t)noise.draw, noise.n, z);
    T* p = noisy_.need(size);
    for (i64 i = 0; i < noise.n; i++) p[i] = parameters[i] + (T)noise.std * (T)z[i];
    std::memcpy(p + noise.n, parameters + noise.n, (size - noise.n) * sizeof(T));
    stages.end(Stage::NOISE);
    return p;
  }

  // Where each parameter begins.
  struct Places {
    i64 W, U, b, V, weight, bias, head_V, head_W, end;
  };
  Places places() const {
    const i64 G = layer.unit.G, H = layer.H, U = G * H * layer.I, b = U + G * H * H, V = b + G * H;
    const i64 weight = V + (layer.unit.kind == Kind::LSTM ? 3 * H : 0);
    const i64 bias = weight + head.O * H, head_V = bias + head.O, pairs = head.loss == Loss::NADE ? head.D * head.M : 0;
    return {0, U, b, V, weight, bias, head_V, head_V + pairs, head_V + 2 * pairs};
  }

  void set_weights(const T* p, const Minibatch<T>& batch, bool backward) {
    const Places at = places();
    layer.plan.set(batch.shape);
    layer.set_weights({p + at.W, p + at.U, p + at.b, p + at.V}, backward, false);
    head.set_weights({p + at.weight, p + at.bias, p + at.head_V, p + at.head_W}, backward);
    stages.end(Stage::WEIGHTS);
  }

  // out [F, P] = in [F, P] where the normal numbers z [F, H] say so, divided by `keep`; else zero. May be in place.
  void drop(T* out, const T* in, const float* z, i64 frames, const Dropout& dropout) const {
    const i64 H = layer.H, P = layer.P;
    const float threshold = (float)dropout.threshold;
    const T factor = (T)(1 / dropout.keep);
    for (i64 f = 0; f < frames; f++, out += P, in += P, z += H) {
      for (i64 k = 0; k < H; k++) out[k] = z[k] < threshold ? (T)0 : in[k] * factor;
      for (i64 k = H; k < P; k++) out[k] = 0;
    }
  }

  double weighted_gradient(const T* parameters, const Minibatch<T>& batch, double scale, const Dropout& dropout, T* g) {
    set_weights(parameters, batch, true);
    const Plan& plan = layer.plan;
    const auto cut = plan.cuts(CHUNK);
    layer.begin(batch.x, nullptr, nullptr, true);
    for (std::size_t k = 0; k + 1 < cut.size(); k++) layer.forward(cut[k], cut[k + 1], stages);
    layer.begin_backward(nullptr, nullptr);
    head.begin_backward();
    T* dh = dh_.need(plan.largest_chunk(CHUNK) * layer.P);
    const bool drops = dropout.keep < 1;
    const i64 numbers = drops ? plan.frames * layer.H : 0;
    float* z = drop_.need(numbers);
    T* dropped = drops ? dropped_.need(plan.largest_chunk(CHUNK) * layer.P) : nullptr;
    if (drops) gated_normal_numbers(dropout.seed, (std::uint32_t)dropout.draw, numbers, z);
    stages.end(Stage::NOISE);
    double nll = 0;
    for (std::size_t k = cut.size() - 1; k-- > 0;) {
      const i64 first = plan.begin[cut[k]], frames = plan.begin[cut[k + 1]] - first;
      const T* h = layer.states(cut[k]);
      if (drops) drop(dropped, h, z + first * layer.H, frames, dropout), h = dropped;
      nll += head.chunk(first, frames, h, batch.target, nullptr, (T)scale, nullptr, dh, stages);
      if (drops) drop(dh, dh, z + first * layer.H, frames, dropout);
      layer.backward(cut[k], cut[k + 1], dh, nullptr, stages);
    }
    const Places at = places();
    layer.weight_gradients({g + at.W, g + at.U, g + at.b, layer.unit.kind == Kind::LSTM ? g + at.V : nullptr});
    head.weight_gradients({g + at.weight, g + at.bias, g + at.head_V, g + at.head_W});
    stages.end(Stage::WEIGHTS);
    return nll;
  }
};

}  // namespace
