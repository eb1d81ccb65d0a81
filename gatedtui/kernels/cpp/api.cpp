// The C interface: plain functions on plain memory, loaded by kernels/library.py through ctypes. No Python, no torch.
//
// Every function that can fail gives a status: 0 done, 1 out of memory, 2 a Bernoulli or NADE target is neither 0 nor 1.
// Names end in _f32 or _f64. Objects belong to the caller, serve one thread at a time and keep their memory between
// calls. No pointer is kept after a call returns, but for `x` of scan_forward, which scan_backward reads again. What is
// written never overlaps what is read, unless it is said to be updated in place. Alignment does not matter.
#include "cpu.h"
#include "draw.h"
#include "loss.h"
#include "scan.h"
#include "step.h"

#ifndef GATED_SOURCES
#define GATED_SOURCES "unknown"
#endif
#define API extern "C" __attribute__((visibility("default")))

namespace {

enum Status { DONE = 0, OUT_OF_MEMORY = 1, NOT_BINARY = 2 };

// Runs `work` with denormals flushed; memory that cannot be had becomes a status.
template <class F> Status guarded(F work) {
  const FlushDenormals flush;
  try {
    work();
    return DONE;
  } catch (const std::bad_alloc&) {
    return OUT_OF_MEMORY;
  }
}

template <class Object, class... Arguments> Object* made(Arguments... arguments) {
  try {
    return new Object(arguments...);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

// The digest of the sources this library was compiled from, and the width of its vectors in bytes.
API const char* gated_sources() { return GATED_SOURCES; }
API i64 gated_vector_bytes() { return VECTOR_BYTES; }

// The widest build that can run here: 0 baseline, 1 AVX2, 2 AVX-512.
API i64 gated_cpu_level() { return cpu_level(); }

API void gated_normal(std::uint64_t seed, std::uint64_t draw, i64 n, float* z) {
  gated_normal_numbers(seed, (std::uint32_t)draw, n, z);
}

// lengths [B] in 1..T; order [B], live [T] and longest are written; see batch.h.
API Status gated_sort_rows(const i64* lengths, i64 steps, i64 rows, i32* order, i32* live, i64* longest) {
  return guarded([&] { *longest = sort_rows(lengths, steps, rows, order, live); });
}

API Status gated_merge_lists(const Shape* shape, const i64* first, const i64* shift, const i32* index, const i64* begin,
                             i32* out_index, i32* out_begin) {
  return guarded([&] {
    Plan plan;
    plan.set(*shape);
    merge_lists(plan, first, shift, index, begin, out_index, out_begin);
  });
}

#define Real float
#define NAMED(name) gated_##name##_f32
#include "exports.h"
#undef Real
#undef NAMED

#define Real double
#define NAMED(name) gated_##name##_f64
#include "exports.h"
