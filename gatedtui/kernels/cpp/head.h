// The standard outputs on the last layer's h, from logits to loss and back, for a chunk of frames at a time.
//
//   Bernoulli  -log p(y | h) = Σ_k softplus(a_k) - Σ_{k: y_k = 1} a_k     with the O logits a = weight h + bias
//   Mixture    -log p(y | h) = -log Σ_m π_m Π_d N(y_d; μ_md, σ_md²)       with O = M (1 + 2 D) numbers a:
//              π = softmax of the first M, μ the next M·D, log σ the last M·D held in [-7, 5]
//   NADE       nade.h, with M hidden units and O = D + M; there a lies row by row, [F, round_up(O)]
//
// Logits are stored transposed, [O, ld] with the frames along the vectors: the loss of LANES frames is then computed at
// once, whatever O is, and the gradient at the logits replaces them in place.
//
// INVARIANT. Columns of the logits beyond the chunk's last frame are zero once the loss is done, and h is zero in its
// padded lanes; so neither reaches a weight gradient.
#pragma once
#include "batch.h"
#include "gemm.h"
#include "nade.h"
#include "stages.h"

namespace {

enum class Loss : i32 { BERNOULLI = 0, MIXTURE = 1, NADE = 2 };
constexpr double LOG_SCALE_LOW = -7, LOG_SCALE_HIGH = 5;  // heads/mixture.py says why

// In torch's layout, without gaps; owned by the caller. V and W [D, M] of NADE, else null.
template <class T> struct HeadWeights {
  T* weight;  // [O, H]
  T* bias;    // [O]
  T* V;
  T* W;
};

template <class T> class Head {
 public:
  typedef Vec<T> V;
  static constexpr int L = LANES<T>;
  static constexpr i64 MOST_PARTS = 256, MOST_OUTPUTS = 64;
  const Loss loss;
  const i64 H, P, M, D, O;  // M, D: parts and outputs of the mixture, hidden units and outputs of NADE; Bernoulli: D

  Head(Loss loss, i64 H, i64 M, i64 D)
      : loss(loss), H(H), P(round_up(H, L)), M(M), D(D), O(numbers(loss, M, D)), nade_(D, M) {}

  // How many numbers a head takes of h for one frame.
  static i64 numbers(Loss loss, i64 M, i64 D) {
    return loss == Loss::BERNOULLI ? D : loss == Loss::MIXTURE ? M * (1 + 2 * D) : D + M;
  }

  // weight [O, H], bias [O] and, for NADE, V and W [D, M], without gaps. The weight is read again by `chunk`, so all must
  // stay until then.
  void set_weights(const HeadWeights<const T>& w, bool backward) {
    const T* weight = weight_ = w.weight;
    bias_ = w.bias;
    if (loss == Loss::NADE) {
      const i64 Op = round_up(O, L);
      nade_.set_weights(w.V, w.W);
      pack_transposed<T>(weight_across_.need(H * Op), weight, H, O, H, Op);
      widen<T>(bias_wide_.need(Op), Op, bias_, 1, O, Op);
    }
    if (backward) pack<T>(weight_back_.need(O * P), weight, O, H, H, 0, O);
  }

  void begin_backward() {
    std::memset(d_weight_.need(O * P), 0, O * P * sizeof(T));
    std::memset(d_bias_.need(round_up(O, L)), 0, round_up(O, L) * sizeof(T));
    if (loss == Loss::NADE) nade_.begin_backward();
  }

  // F frames, the first of them frame f0 of `target`.
  //   h       [F, P], zero in padded lanes
  //   nll     [F] out: nats of each frame; null if not wanted
  //   scale   one factor for all frames' NLL in the loss; used when `scales` is null
  //   scales  [N] one factor a frame, indexed as `target`; or null
  //   dh      [F, P] out: dL/dh of L = Σ_f scale_f nll_f, and the weights' gradients are added to; null: forward only
  // Gives the sum of the frames' NLL, unscaled.
  double chunk(i64 f0, i64 F, const T* h, const Frames<T>& target, T* nll, T scale, const T* scales, T* dh,
               Stages& stages) {
    if (loss == Loss::NADE) return joint(f0, F, h, target, nll, scale, scales, dh, stages);
    const i64 ld = leading(F);
    T *ht = ht_.need(panel_size<T>(H, F)), *a = logits_.need(O * ld), *each = nll ? nll : nll_.need(round_up(F, L));
    pack_transposed<T>(ht, h, H, F, P, round_up(F, L));
    gemm<T, Order::ROWS, Start::COLUMN_BIAS>(O, F, {weight_, H, H}, {ht}, a, ld, bias_);
    stages.end(Stage::LOGITS);
    const double total = loss == Loss::BERNOULLI ? bernoulli(f0, F, a, ld, target, each, scale, scales, dh != nullptr)
                                                 : mixture(f0, F, a, ld, target, each, scale, scales, dh != nullptr);
    stages.end(Stage::LOSS);
    if (!dh) return total;
    gemm<T, Order::COLUMNS, Start::ZERO>(F, P, {a, ld, O}, {weight_back_.get()}, dh, P);
    stages.end(Stage::HEAD_GRADIENT);
    gemm<T, Order::ROWS, Start::ADD>(O, P, {a, ld, F}, {h, P}, d_weight_.get(), P);
    for (i64 k = 0; k < O; k++) {
      V s = {};
      for (i64 f = 0; f < F; f += L) s += load(a + k * ld + f);
      d_bias_.get()[k] += sum<T>(s);
    }
    stages.end(Stage::HEAD_WEIGHTS);
    return total;
  }

  // The gradients of all chunks since begin_backward, shaped as the weights.
  void weight_gradients(const HeadWeights<T>& d) const {
    trim<T>(d.weight, d_weight_.get(), O, H, P);
    std::memcpy(d.bias, d_bias_.get(), O * sizeof(T));
    if (loss == Loss::NADE) nade_.weight_gradients(d.V, d.W);
  }

 private:
  const T *weight_ = nullptr, *bias_ = nullptr;
  Buffer<T> weight_back_;           // panels of weight, [O, P]
  Buffer<T> ht_;                    // panels of the chunk's h transposed, [H, F]
  Buffer<T> logits_;                // [O, ld] logits, then their gradient
  Buffer<T> nll_;                   // [F]
  Buffer<T> d_weight_, d_bias_;     // [O, P], [O]
  Nade<T> nade_;
  Buffer<T> weight_across_, bias_wide_;  // NADE: panels of the weight transposed, [H, O]; the bias in whole vectors
  T log_weight_[MOST_PARTS * L];    // per part, LANES frames: log π_m + log N_m, then its share of the likelihood
  T target_[MOST_OUTPUTS * L];      // per output, LANES frames

  double joint(i64 f0, i64 F, const T* h, const Frames<T>& y, T* nll, T scale, const T* scales, T* dh,
               Stages& stages) {
    const i64 Op = round_up(O, L);
    T* a = logits_.need(F * Op);
    gemm<T, Order::ROWS, Start::ROW_BIAS>(F, O, {h, P, H}, {weight_across_.get()}, a, Op, bias_wide_.get());
    stages.end(Stage::LOGITS);
    double total = 0;
    for (i64 f = 0; f < F; f++) {
      const i32 begin = y.begin[f0 + f], end = y.begin[f0 + f + 1];
      const T value = nade_.frame(a + f * Op, y.index + begin, end - begin, scales ? scales[f0 + f] : scale, dh);
      if (nll) nll[f] = value;
      total += value;
    }
    stages.end(Stage::LOSS);
    if (!dh) return total;
    gemm<T, Order::ROWS, Start::ZERO>(F, P, {a, Op, O}, {weight_back_.get()}, dh, P);
    stages.end(Stage::HEAD_GRADIENT);
    gemm<T, Order::COLUMNS, Start::ADD>(O, P, {a, Op, F}, {h, P}, d_weight_.get(), P);
    T* bias = d_bias_.get();
    for (i64 f = 0; f < F; f++)
      for (i64 k = 0; k < Op; k += L) store(bias + k, load(bias + k) + load(a + f * Op + k));
    stages.end(Stage::HEAD_WEIGHTS);
    return total;
  }

  // Row stride of the logits: an odd number of cache lines, so that the rows of a column fall into different sets.
  static i64 leading(i64 F) {
    const i64 line = 64 / sizeof(T);
    return round_up(F, 2 * line) + line;
  }

  INLINE V factors(T scale, const T* scales, i64 f, i64 F) {
    return scales ? load_first(scales + f, std::min<i64>(L, F - f)) : splat(scale);
  }
  // Stores the NLL of LANES frames and gives their sum without those beyond the last.
  INLINE double put(T* nll, V value, i64 f, i64 F) {
    const i64 n = std::min<i64>(L, F - f);
    store_first(nll + f, value, n);
    double s = 0;
    for (i64 j = 0; j < n; j++) s += value[j];
    return s;
  }
  void zero_beyond(i64 F, T* a, i64 ld) {
    const i64 end = round_up(F, L);
    if (end > F)
      for (i64 k = 0; k < O; k++) std::memset(a + k * ld + F, 0, (end - F) * sizeof(T));
  }

  // softplus(a) = max(a, 0) + log(1 + e^-|a|). The logarithm of a product is cheaper than a sum of logarithms: 64
  // factors of at most 2 fit into a float. d softplus / da = σ(a) = 1 / (1 + e^-|a|), or e^-|a| times that where a < 0.
  double bernoulli(i64 f0, i64 F, T* a, i64 ld, const Frames<T>& y, T* nll, T scale, const T* scales, bool gradient) {
    if (scales) scales += f0;
    T* ones = ones_.need(round_up(F, L));
    for (i64 f = 0; f < F; f++) {
      T s = 0;
      for (i32 i = y.begin[f0 + f]; i < y.begin[f0 + f + 1]; i++) s += a[y.index[i] * ld + f];
      ones[f] = s;
    }
    double total = 0;
    for (i64 f = 0; f < F; f += L) {
      const V weight = factors(scale, scales, f, F);
      V s = {}, product = splat<T>(1);
      for (i64 k = 0; k < O; k++) {
        T* at = a + k * ld + f;
        const V x = load(at), e = exp<T>(-abs<T>(x)), u = (T)1 + e;
        s += x > 0 ? x : V{};
        product *= u;
        if ((k & 63) == 63) {
          s += log<T>(product);
          product = splat<T>(1);
        }
        if (gradient) {
          const V p = weight / u;
          store(at, x > 0 ? p : e * p);
        }
      }
      total += put(nll, s + log<T>(product) - load(ones + f), f, F);
    }
    if (!gradient) return total;
    zero_beyond(F, a, ld);
    for (i64 f = 0; f < F; f++) {
      const T weight = scales ? scales[f] : scale;
      for (i32 i = y.begin[f0 + f]; i < y.begin[f0 + f + 1]; i++) a[y.index[i] * ld + f] -= weight;
    }
    return total;
  }
  Buffer<T> ones_;  // [F] the logits at the ones of each frame, summed

  // With e = 1/σ and u = (y - μ) e, a part's exponent is a_m = logit_m - Σ_d (u²/2 + log σ), and
  // nll = log Σ exp(logits) - log Σ exp(a) + D/2 log 2π. With share r_m = exp(a_m) / Σ exp(a):
  // d/d logit_m = π_m - r_m    d/dμ = -r_m u e    d/d log σ = r_m (1 - u²), or 0 where log σ is held at a limit.
  double mixture(i64 f0, i64 F, T* a, i64 ld, const Frames<T>& y, T* nll, T scale, const T* scales, bool gradient) {
    if (scales) scales += f0;
    const T* target = y.dense + f0 * D;
    const V constant = splat<T>((T)(0.5 * D * 1.8378770664093453));  // log 2π
    double total = 0;
    for (i64 f = 0; f < F; f += L) {
      for (i64 d = 0; d < D; d++)
        for (i64 j = 0; j < L; j++) target_[d * L + j] = f + j < F ? target[(f + j) * D + d] : (T)0;
      V top_logit = load(a + f), top = {};
      for (i64 m = 1; m < M; m++) top_logit = larger<T>(load(a + m * ld + f), top_logit);
      for (i64 m = 0; m < M; m++) {
        V squares = {}, log_scales = {};
        for (i64 d = 0; d < D; d++) {
          T *mean = a + (M + m * D + d) * ld + f, *log_scale = mean + M * D * ld;
          const V given = load(log_scale), held = clamped<T>(given, (T)LOG_SCALE_LOW, (T)LOG_SCALE_HIGH);
          const V e = exp<T>(-held), u = (load(target_ + d * L) - load(mean)) * e;
          squares += u * u;
          log_scales += held;
          store(mean, u);
          store(log_scale, given == held ? e : -e);  // the sign says that log σ is held, and has no gradient
        }
        const V exponent = load(a + m * ld + f) - squares * (T)0.5 - log_scales;
        top = m == 0 ? exponent : larger<T>(exponent, top);
        store(log_weight_ + m * L, exponent);
      }
      V logit_sum = {}, sum_ = {};
      for (i64 m = 0; m < M; m++) {
        const V logit = exp<T>(load(a + m * ld + f) - top_logit), share = exp<T>(load(log_weight_ + m * L) - top);
        logit_sum += logit;
        sum_ += share;
        store(a + m * ld + f, logit);
        store(log_weight_ + m * L, share);
      }
      total += put(nll, (log<T>(logit_sum) + top_logit) - (log<T>(sum_) + top) + constant, f, F);
      if (!gradient) continue;
      const V weight = factors(scale, scales, f, F), per_logit = weight / logit_sum, per_share = weight / sum_;
      for (i64 m = 0; m < M; m++) {
        const V r = load(log_weight_ + m * L) * per_share;
        store(a + m * ld + f, load(a + m * ld + f) * per_logit - r);
        for (i64 d = 0; d < D; d++) {
          T *mean = a + (M + m * D + d) * ld + f, *log_scale = mean + M * D * ld;
          const V u = load(mean), e = load(log_scale);
          store(mean, -r * u * abs<T>(e));
          store(log_scale, e > 0 ? r * ((T)1 - u * u) : V{});
        }
      }
    }
    if (gradient) zero_beyond(F, a, ld);
    return total;
  }
};

}  // namespace
