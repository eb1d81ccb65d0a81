// A ragged minibatch without its dead frames, and how frames get there from padded arrays and from whole pieces.
//
// Packed order is time-major, and within a step longest rows first: the rows alive at step t are then a prefix of those
// at step t-1, every step is one contiguous slice, and dead frames cost nothing. Frame f of packed order belongs to the
// step t with begin[t] <= f < begin[t+1] and to packed row f - begin[t].
#pragma once
#include <vector>

#include "vector_math.h"

namespace {

// Mirrored by a ctypes.Structure; everything is owned by the caller and only read.
struct Shape {
  i64 steps;         // T
  i64 rows;          // B
  i64 frames;        // N, live frames in all
  const i32* live;   // [T] rows alive at each step, falling, at least 1; null: all rows at every step
  const i32* order;  // [B] the row of a padded array that packed row m stands for; null: m itself
};

// Frames [N, width] as numbers, or, when every number is 0 or 1, as lists of the places of the ones.
template <class T> struct Frames {
  const T* dense;    // [N, width] row-major without gaps, or null
  const i32* index;  // places of the ones of all frames, frame after frame; used when dense is null
  const i32* begin;  // [N + 1]: frame f's are index[begin[f]] … index[begin[f + 1] - 1]
};

struct Plan {
  i64 steps = 0, rows = 0, frames = 0;
  const i32* order = nullptr;
  std::vector<i64> begin;  // [T + 1]

  void set(const Shape& shape) {
    steps = shape.steps, rows = shape.rows, frames = shape.frames, order = shape.order;
    begin.resize(steps + 1);
    begin[0] = 0;
    for (i64 t = 0; t < steps; t++) begin[t + 1] = begin[t] + (shape.live ? shape.live[t] : rows);
  }
  i64 live(i64 t) const { return begin[t + 1] - begin[t]; }
  i64 given_row(i64 m) const { return order ? order[m] : m; }
  // Whether packed order is the padded order: nothing dead and nothing moved.
  bool whole() const { return !order && frames == steps * rows; }
  // The first step after t at which a chunk of about `target` frames that begins with step t must end.
  i64 chunk_end(i64 t, i64 target) const {
    i64 end = t + 1;
    while (end < steps && begin[end + 1] - begin[t] <= target) end++;
    return end;
  }
  // Step numbers 0 = cut_0 < cut_1 < … = T between chunks of about `target` frames, each whole steps.
  std::vector<i64> cuts(i64 target) const {
    std::vector<i64> cut{0};
    while (cut.back() < steps) cut.push_back(chunk_end(cut.back(), target));
    return cut;
  }
  i64 largest_chunk(i64 target) const { return std::max(target, rows); }
};

// order [B]: rows longest first, rows of equal length as they came. live [T']: rows alive at each of the T' steps of
// the longest row; the rest of live [T] is zero. Gives T'. lengths [B] lie in 1..T.
static i64 sort_rows(const i64* lengths, i64 steps, i64 rows, i32* order, i32* live) {
  std::vector<i32> longer(steps + 2, 0);  // longer[n]: rows longer than n, then: the next place for length n
  i64 longest = 0;
  for (i64 b = 0; b < rows; b++) {
    longer[lengths[b]]++;
    longest = std::max(longest, lengths[b]);
  }
  i32 above = 0;
  for (i64 n = steps; n > 0; n--) {
    const i32 here = longer[n];
    longer[n] = above;
    above += here;
    live[n - 1] = above;
  }
  for (i64 b = 0; b < rows; b++) order[longer[lengths[b]]++] = (i32)b;
  return longest;
}

// packed [F, ldp], F the frames of steps t0 … t1 = padded [T, B, width]; columns from width to P become zero.
template <class T>
static void gather(T* packed, i64 ldp, i64 P, const T* padded, i64 width, const Plan& plan, i64 t0, i64 t1) {
  for (i64 t = t0; t < t1; t++)
    for (i64 m = 0; m < plan.live(t); m++, packed += ldp) {
      std::memcpy(packed, padded + (t * plan.rows + plan.given_row(m)) * width, width * sizeof(T));
      if (P > width) std::memset(packed + width, 0, (P - width) * sizeof(T));
    }
}

// padded [T, B, width] at the frames of steps t0 … t1 = packed [F, ldp]; other frames are left alone.
template <class T>
static void scatter(T* padded, const T* packed, i64 ldp, i64 width, const Plan& plan, i64 t0, i64 t1) {
  for (i64 t = t0; t < t1; t++)
    for (i64 m = 0; m < plan.live(t); m++, packed += ldp)
      std::memcpy(padded + (t * plan.rows + plan.given_row(m)) * width, packed, width * sizeof(T));
}

// The lists of `Frames` for `frames` rows of `width` numbers, row(f) the first of each. Gives false, and lists that are
// of no use, when some number is neither 0 nor 1, or when there are more ones than `most`.
// index: needs room for `most` and `width` more. begin: [frames + 1].
template <class T, class Row>
static bool list_ones(i64 frames, i64 width, Row row, i64 most, i32* index, i32* begin) {
  constexpr int L = LANES<T>;
  i64 at = 0;
  begin[0] = 0;
  for (i64 f = 0; f < frames; f++) {
    const T* p = row(f);
    for (i64 k = 0; k < width; k += L) {
      const i64 n = std::min<i64>(L, width - k);
      const Vec<T> v = n == L ? load(p + k) : load_first(p + k, n);
      unsigned ones = lanes_equal<T>(v, 1);
      if ((ones | lanes_equal<T>(v, 0)) != (1u << L) - 1) return false;  // lanes beyond the width are zero
      for (; ones; ones &= ones - 1) index[at++] = (i32)(k + __builtin_ctz(ones));
    }
    if (at > most) return false;
    begin[f + 1] = (i32)at;
  }
  return true;
}

// The lists of a minibatch from those of all pieces. Row m is the piece whose frames begin at first[m]; frame p of all
// pieces has the ones index[begin[p]] …, and shift[m] is added to each where `shift` is not null. Returns how many there
// are; out_index needs room for them, out_begin [N + 1].
static i64 merge_lists(const Plan& plan, const i64* first, const i64* shift, const i32* index, const i64* begin,
                       i32* out_index, i32* out_begin) {
  i64 at = 0;
  *out_begin++ = 0;
  for (i64 t = 0; t < plan.steps; t++)
    for (i64 m = 0; m < plan.live(t); m++) {
      const i64 from = begin[first[m] + t], to = begin[first[m] + t + 1];
      const i32 by = shift ? (i32)shift[m] : 0;
      for (i64 i = from; i < to; i++) out_index[at++] = index[i] + by;
      *out_begin++ = (i32)at;
    }
  return at;
}

// out [N, width] from pieces of float32: frame t of row m begins at piece[m] + t * stride.
template <class T> static void merge_rows(const Plan& plan, const float* const* piece, i64 stride, i64 width, T* out) {
  for (i64 t = 0; t < plan.steps; t++)
    for (i64 m = 0; m < plan.live(t); m++, out += width) {
      const float* from = piece[m] + t * stride;
      for (i64 k = 0; k < width; k++) out[k] = (T)from[k];
    }
}

}  // namespace
