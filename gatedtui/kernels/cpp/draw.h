// Drawing from a model of one layer and a standard head: several streams side by side, each fed what it has just drawn.
//
// A stream's numbers depend on its own input and uniform numbers alone, to the bit, however many run beside it: every
// product is summed in the same order (SPLIT false in gemm.h). What is fed back makes of the last bit another song.
#pragma once
#include "head.h"
#include "recurrence.h"

namespace {

// The number below which a standard normal one lies with probability p, 0 < p < 1. Acklam's rational approximation,
// good to 1e-9, and one step of Halley's method on the distribution function.
static double normal_quantile(double p) {
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                          -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
  const auto tail = [&](double q) {
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  };
  double x;
  if (p < 0.02425) x = tail(std::sqrt(-2 * std::log(p)));
  else if (p > 1 - 0.02425) x = -tail(std::sqrt(-2 * std::log(1 - p)));
  else {
    const double q = p - 0.5, r = q * q;
    x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
        (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }
  const double error = 0.5 * std::erfc(-x * M_SQRT1_2) - p, u = error * 2.5066282746310002 * std::exp(x * x / 2);
  return x - u / (1 + x * u / 2);
}

INLINE double normal_below(double x) { return 0.5 * std::erfc(-x * M_SQRT1_2); }

struct Manner {
  double temperature;  // above 0
  double limit;        // no output of the mixture beyond ±limit; infinity for none
  i64 greedy;
};

template <class T> class Drawing {
 public:
  static constexpr int L = LANES<T>;

  Drawing(Kind kind, i64 I, i64 H, Loss loss, i64 M, i64 D, i64 streams)
      : unit_(kind, H), loss_(loss), I(I), H(H), P(unit_.P), GP(unit_.GP), M(M), D(D),
        O(Head<T>::numbers(loss, M, D)), draws_(loss == Loss::MIXTURE ? 1 + D : D), N(streams), nade_(D, M) {}

  // Copies the weights and begins anew: all states zero.
  void begin(const Weights<T>& w, const HeadWeights<const T>& head) {
    if (loss_ == Loss::NADE) nade_.set_weights(head.V, head.W);
    const i64 Op = round_up(O, L);
    unit_.set(w.U, w.V, false);
    for (i64 q = 0; q < unit_.G; q++) transpose_matrix<T>(W_.need(I * GP) + q * P, GP, w.W + q * H * I, H, I, P);
    widen<T>(b_.need(GP), P, w.b, unit_.G, H, P);
    pack_transposed<T>(weight_.need(H * Op), head.weight, H, O, H, Op);
    widen<T>(bias_.need(Op), Op, head.bias, 1, O, Op);
    for (auto* states : {&h_, &h_before_, &c_, &c_before_}) std::memset(states->need(N * P), 0, N * P * sizeof(T));
    gates_.need(N * GP);
    logits_.need(N * Op);
    x_.need(N * I);
  }

  // Feeds frames x [F, N, I]; they are only read.
  void feed(const T* x, i64 frames) {
    for (i64 f = 0; f < frames; f++) {
      std::memcpy(x_.get(), x + f * N * I, N * I * sizeof(T));
      step();
    }
  }

  // Draws frames [F, N, D] from uniform [F, N, draws] and writes each's nats at temperature 1 to nll [F, N]. Each drawn
  // frame becomes the last D of the I inputs of the next step.
  void draw(i64 frames, const double* uniform, const Manner& manner, T* out, double* nll) {
    const i64 Op = round_up(O, L);
    for (i64 f = 0; f < frames; f++) {
      gemm<T, Order::ROWS, Start::ROW_BIAS, false>(N, O, {h_.get(), P, H}, {weight_.get()}, logits_.get(), Op,
                                                   bias_.get());
      for (i64 n = 0; n < N; n++, uniform += draws_, out += D, nll++) {
        const T* a = logits_.get() + n * Op;
        *nll = loss_ == Loss::MIXTURE ? mixture(a, uniform, manner, out) : pitches(a, uniform, manner, out);
        T* x = x_.get() + n * I;
        std::memmove(x, x + D, (I - D) * sizeof(T));
        std::memcpy(x + I - D, out, D * sizeof(T));
      }
      step();
    }
  }

 private:
  Unit<T> unit_;
  const Loss loss_;
  const i64 I, H, P, GP, M, D, O, draws_, N;
  Nade<T> nade_;
  Buffer<T> W_, b_;                       // [I, GP], [GP], zero in padded lanes
  Buffer<T> weight_, bias_;               // panels of the head's weight transposed, [H, O]; [O]; zero beyond O
  Buffer<T> h_, h_before_, c_, c_before_;  // [N, P]
  Buffer<T> gates_, logits_, x_;          // [N, GP], [N, round_up(O)], [N, I]

  void step() {
    h_.swap(h_before_);
    c_.swap(c_before_);
    T* gates = unit_.kind == Kind::TANH ? h_.get() : gates_.get();
    gemm<T, Order::ROWS, Start::ROW_BIAS, false>(N, GP, {x_.get(), I, I}, {W_.get(), GP}, gates, GP, b_.get());
    unit_.template forward<false>({N, h_before_.get(), c_before_.get(), gates, h_.get(), c_.get()});
  }

  // An output is one where its uniform number lies below its probability σ(logit / temperature), for NADE given those
  // drawn before it. nll as in head.h.
  double pitches(const T* a, const double* uniform, const Manner& manner, T* out) {
    const bool joint = loss_ == Loss::NADE;
    if (joint) nade_.begin_frame(a);
    double nll = 0, product = 1;
    for (i64 k = 0; k < D; k++) {
      const double logit = joint ? nade_.logit(a, k) : a[k], e = std::exp(-std::abs(logit));
      const double other = manner.temperature == 1 ? e : std::exp(-std::abs(logit) / manner.temperature);
      const double p = logit > 0 ? 1 / (1 + other) : other / (1 + other);
      const bool one = manner.greedy ? p > 0.5 : uniform[k] < p;
      out[k] = std::isnan(p) ? (T)p : (T)one;
      if (joint && one) nade_.sounds(k);
      nll += one ? std::max(-logit, 0.0) : std::max(logit, 0.0);
      product *= 1 + e;
      if (k % 512 == 511 || k + 1 == D) {  // 512 factors of at most 2 fit into a double
        nll += std::log(product);
        product = 1;
      }
    }
    return nll;
  }

  // The first uniform number chooses the part by its weight, the others become normal ones, cut off at the limit with
  // the inside as probable as it was. Weights and variances are taken to the power 1 / temperature.
  double mixture(const T* a, const double* uniform, const Manner& manner, T* out) const {
    const i64 part = manner.greedy ? weightiest(a) : chosen(a, uniform[0], manner.temperature);
    for (i64 d = 0; d < D; d++) {
      const double mean = a[M + part * D + d], scale = std::sqrt(manner.temperature) * std::exp(log_scale(a, part, d));
      double y = mean;
      if (!manner.greedy) {
        double u = uniform[1 + d];
        if (std::isfinite(manner.limit)) {
          const double low = normal_below((-manner.limit - mean) / scale);
          u = low + u * (normal_below((manner.limit - mean) / scale) - low);
        }
        constexpr double eps = std::numeric_limits<double>::epsilon();  // 0 and 1 would become infinite
        y = mean + scale * normal_quantile(std::min(std::max(u, eps / 4), 1 - eps / 2));
      }
      out[d] = (T)(y < -manner.limit ? -manner.limit : y > manner.limit ? manner.limit : y);
    }
    return mixture_nll(a, out);
  }
  double log_scale(const T* a, i64 part, i64 d) const {
    const double s = a[M + M * D + part * D + d];
    return s < LOG_SCALE_LOW ? LOG_SCALE_LOW : s > LOG_SCALE_HIGH ? LOG_SCALE_HIGH : s;
  }
  i64 weightiest(const T* a) const { return std::max_element(a, a + M) - a; }
  i64 chosen(const T* a, double u, double temperature) const {
    const double top = a[weightiest(a)];
    double whole = 0, reached = 0;
    for (i64 m = 0; m < M; m++) whole += std::exp((a[m] - top) / temperature);
    for (i64 m = 0; m < M; m++) {
      reached += std::exp((a[m] - top) / temperature) / whole;
      if (u < reached) return m;
    }
    return M - 1;  // rounding may end the sum below 1
  }
  double mixture_nll(const T* a, const T* y) const {
    double top = a[weightiest(a)], logits = 0, best = 0, joint = 0;
    double exponent[Head<T>::MOST_PARTS];
    for (i64 m = 0; m < M; m++) {
      logits += std::exp(a[m] - top);
      exponent[m] = a[m];
      for (i64 d = 0; d < D; d++) {
        const double s = log_scale(a, m, d), u = (y[d] - a[M + m * D + d]) * std::exp(-s);
        exponent[m] -= u * u / 2 + s;
      }
      best = m == 0 || exponent[m] > best ? exponent[m] : best;
    }
    for (i64 m = 0; m < M; m++) joint += std::exp(exponent[m] - best);
    return std::log(logits) + top - std::log(joint) - best + 0.5 * D * 1.8378770664093453;  // log 2π
  }
};

}  // namespace
