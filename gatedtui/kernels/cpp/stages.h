// Where the time of a step goes: seconds by stage, for `gated bench`. A few clock readings a chunk cost nothing that
// could be measured.
#pragma once
#include <chrono>

#include "vector_math.h"

namespace {

// The order is the one `gatedtui/kernels/library.py` names them in.
enum class Stage { NOISE, WEIGHTS, INPUT, RECURRENCE, LOGITS, LOSS, HEAD_GRADIENT, HEAD_WEIGHTS, BACKWARD,
                   INPUT_WEIGHTS, RECURRENT_WEIGHTS, INPUT_GRADIENT, UPDATE, COUNT };

class Stages {
 public:
  void start() { last_ = now(); }
  // The time since the last `start` or `end` belongs to `stage`.
  void end(Stage stage) {
    const double t = now();
    seconds_[(int)stage] += t - last_;
    last_ = t;
  }
  void read(double* out) const { std::memcpy(out, seconds_, sizeof seconds_); }
  void reset() { std::memset(seconds_, 0, sizeof seconds_); }

 private:
  static double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  double seconds_[(int)Stage::COUNT] = {};
  double last_ = 0;
};

}  // namespace
