// The functions that come twice, with `Real` float and double: included by api.cpp, which sets `Real` and `NAMED`.
// Nothing guards against a second inclusion: that is meant. The structures say of each pointer what it holds.

// ---- minibatches (batch.h)

// out [N, width] from pieces of float32, frame t of row m beginning at piece[m] + t * stride.
API Status NAMED(merge_rows)(const Shape* shape, const float* const* piece, i64 stride, i64 width, Real* out) {
  return guarded([&] {
    Plan plan;
    plan.set(*shape);
    merge_rows<Real>(plan, piece, stride, width, out);
  });
}

// ---- one layer (scan.h). A backward pass belongs to the last forward pass of the same object.

API void* NAMED(scan_new)(i64 kind, i64 inputs, i64 hidden) { return made<Scan<Real>>((Kind)kind, inputs, hidden); }
API void NAMED(scan_free)(Scan<Real>* scan) { delete scan; }
API Status NAMED(scan_forward)(Scan<Real>* scan, const Weights<Real>* weights, const Shape* shape,
                               const ScanForward<Real>* arguments) {
  return guarded([&] { scan->forward(*weights, *shape, *arguments); });
}
API Status NAMED(scan_backward)(Scan<Real>* scan, const ScanBackward<Real>* arguments) {
  return guarded([&] { scan->backward(*arguments); });
}
// For the tests, after a backward pass: the largest value in the lanes where only zeros may stand.
API double NAMED(scan_padding)(const Scan<Real>* scan) { return scan->padding(); }

// ---- one head (loss.h)

API void* NAMED(loss_new)(i64 loss, i64 hidden, i64 parts, i64 outputs) {
  return made<FrameLoss<Real>>((Loss)loss, hidden, parts, outputs);
}
API void NAMED(loss_free)(FrameLoss<Real>* loss) { delete loss; }
API Status NAMED(loss_call)(FrameLoss<Real>* loss, const LossCall<Real>* arguments) {
  bool binary = true;
  const Status status = guarded([&] { binary = loss->call(*arguments); });
  return status == DONE && !binary ? NOT_BINARY : status;
}

// ---- one layer and one head (step.h)

API void* NAMED(step_new)(i64 kind, i64 inputs, i64 hidden, i64 loss, i64 parts, i64 outputs) {
  return made<Step<Real>>((Kind)kind, inputs, hidden, (Loss)loss, parts, outputs);
}
API void NAMED(step_free)(Step<Real>* step) { delete step; }
// parameters [size] and what memory points to are updated in place; result is written.
API Status NAMED(step)(Step<Real>* step, Real* parameters, const Minibatch<Real>* batch, double scale,
                       const Noise* noise, const Dropout* dropout, const Recipe* recipe, const Memory<Real>* memory,
                       StepResult* result) {
  return guarded([&] { *result = step->step(parameters, *batch, scale, *noise, *dropout, *recipe, *memory); });
}
// gradient [size] and nll are written.
API Status NAMED(step_gradient)(Step<Real>* step, const Real* parameters, const Minibatch<Real>* batch, double scale,
                                Real* gradient, double* nll) {
  return guarded([&] { *nll = step->gradient(parameters, *batch, scale, gradient); });
}
// row_nll [B] is written.
API Status NAMED(step_score)(Step<Real>* step, const Real* parameters, const Minibatch<Real>* batch, double* row_nll) {
  return guarded([&] { step->score(parameters, *batch, row_nll); });
}
// seconds [Stage::COUNT] spent since the last reset.
API void NAMED(step_stages)(Step<Real>* step, double* seconds, i64 reset) {
  step->stages.read(seconds);
  if (reset) step->stages.reset();
}

// ---- drawing (draw.h)

API void* NAMED(drawing_new)(i64 kind, i64 inputs, i64 hidden, i64 loss, i64 parts, i64 outputs, i64 streams) {
  return made<Drawing<Real>>((Kind)kind, inputs, hidden, (Loss)loss, parts, outputs, streams);
}
API void NAMED(drawing_free)(Drawing<Real>* drawing) { delete drawing; }
API Status NAMED(drawing_begin)(Drawing<Real>* drawing, const Weights<Real>* weights,
                                const HeadWeights<const Real>* head) {
  return guarded([&] { drawing->begin(*weights, *head); });
}
// x [frames, streams, inputs].
API Status NAMED(drawing_feed)(Drawing<Real>* drawing, const Real* x, i64 frames) {
  return guarded([&] { drawing->feed(x, frames); });
}
// uniform [frames, streams, draws]; out [frames, streams, outputs] and nll [frames, streams] are written.
API Status NAMED(drawing_draw)(Drawing<Real>* drawing, i64 frames, const double* uniform, const Manner* manner,
                               Real* out, double* nll) {
  return guarded([&] { drawing->draw(frames, uniform, *manner, out, nll); });
}

// ---- by themselves

// For the benchmark: C[M, N] = A[M, K] B[K, N], `repeats` times; N a whole number of vectors.
API Status NAMED(gemm)(i64 M, i64 N, i64 K, const Real* A, const Real* B, Real* C, i64 repeats) {
  return guarded([&] {
    for (i64 r = 0; r < repeats; r++) gemm<Real, Order::ROWS, Start::ZERO>(M, N, {A, K, K}, {B, N}, C, N);
  });
}

// parameters [n] and what memory points to are updated in place; norm, of the gradient before rescaling, is written.
API Status NAMED(update)(Real* parameters, const Real* gradient, i64 n, const Recipe* recipe,
                         const Memory<Real>* memory, double* norm) {
  return guarded([&] {
    Buffer<Real> scratch;
    *norm = std::sqrt(square_sum<Real>(gradient, n));
    update<Real>(parameters, gradient, n, *norm, *memory, *recipe, scratch);
  });
}
