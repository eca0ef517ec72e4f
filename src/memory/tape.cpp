// SPDX-License-Identifier: Apache-2.0
#include "memory/tape.hpp"

namespace joulecast {
namespace {

constexpr std::int64_t bytes_of(TensorFormat format) {
  switch (format) {
    case TensorFormat::fp32: return 4;
    case TensorFormat::half: return 2;
    case TensorFormat::fp8:
    case TensorFormat::boolean: return 1;
    case TensorFormat::index: return 8;
  }
  return 0;
}

TensorFormat wider(TensorFormat a, TensorFormat b) { return a == TensorFormat::fp32 ? a : b; }

}  // namespace

bool Tape::is_mixed() const {
  return setup_.precision != Precision::fp32 && setup_.precision != Precision::tf32;
}

Count Tape::multiplicity() const {
  if (!in_layers_) return 1;
  // Recomputed values exist for one layer at a time.
  if (setup_.recomputation == Recomputation::full) return 1;
  if (setup_.recomputation == Recomputation::selective && in_core_) return 1;
  return layers_;
}

Tensor Tape::begin_layers(const Tensor& input, Count layers, Count distinct) {
  in_layers_ = true;
  layers_ = layers;
  distinct_ = distinct;
  if (!input.has_gradient && layers == Count{1}) return input;
  if (setup_.recomputation == Recomputation::full) {
    // What every layer is computed from again.
    saved_.activations += layers * input.elements * bytes_of(input.format);
    Tensor own = input;
    own.storage = storages_.size();
    storages_.push_back({.is_saved = true});
    return own;
  }
  // Where a layer keeps its output, the next one finds its input kept.
  const bool is_saved = storages_[input.storage].is_saved;
  Tensor own = create(input.elements, input.format);
  storages_[own.storage].is_saved = is_saved;
  return own;
}

Tensor Tape::end_layers(const Tensor& output) {
  in_layers_ = false;
  layers_ = 1;
  distinct_ = 1;
  Tensor after = create(output.elements, output.format);
  storages_[after.storage].is_saved = storages_[output.storage].is_saved;
  return after;
}

Tensor Tape::create(Count elements, TensorFormat format) {
  storages_.push_back({.bytes = multiplicity() * elements * bytes_of(format), .is_loss = in_loss_});
  return {.storage = storages_.size() - 1, .elements = elements, .format = format};
}

Tensor Tape::data(Count elements) {
  Tensor value = create(elements, TensorFormat::fp32);
  value.has_gradient = false;
  storages_[value.storage].is_saved = true;
  return value;
}

// Where several losses follow each other, the largest one's counts.
void Tape::begin_loss(Count gradient_bytes) {
  in_loss_ = true;
  const bool larger = gradient_bytes.overflowed() || saved_.loss_gradients.overflowed() ||
                      gradient_bytes.value() > saved_.loss_gradients.value();
  if (larger) saved_.loss_gradients = gradient_bytes;
}

void Tape::save(const Tensor& value) {
  Storage& storage = storages_[value.storage];
  if (storage.is_saved) return;
  storage.is_saved = true;
  Count& target = storage.is_loss ? saved_.loss : saved_.activations;
  target += storage.bytes;
}

Tensor Tape::to_product(const Tensor& x) {
  if (!is_mixed() || x.format != TensorFormat::fp32) return x;
  Tensor copy = create(x.elements, TensorFormat::half);
  copy.has_gradient = x.has_gradient;
  return copy;
}

Tensor Tape::to_single(const Tensor& x) {
  return x.format == TensorFormat::fp32 ? x : create(x.elements, TensorFormat::fp32);
}

Tensor Tape::save_operands(const Tensor& x, Count weight_numbers) {
  Tensor operand = to_product(x);
  if (setup_.precision == Precision::fp8) operand = create(x.elements, TensorFormat::fp8);
  save(operand);
  // The weight's copy serves the gradient of x; the parameter itself is there anyway.
  if (!is_mixed() || !x.has_gradient) return operand;
  const bool recomputed = in_layers_ && setup_.recomputation == Recomputation::full;
  const Count copies = recomputed ? Count{1} : distinct_;
  const std::int64_t bytes = setup_.precision == Precision::fp8 ? 1 : 2;
  saved_.weight_copies += copies * weight_numbers * bytes;
  return operand;
}

Tensor Tape::linear(const Tensor& x, Count rows, Count in, Count out) {
  save_operands(x, in * out);
  return create(rows * out, is_mixed() ? TensorFormat::half : TensorFormat::fp32);
}

Tensor Tape::plain_linear(const Tensor& x, Count rows, Count out) {
  save(x);
  return create(rows * out, x.format);
}

Tensor Tape::add(const Tensor& x, const Tensor& y) {
  return create(x.elements, wider(x.format, y.format));
}

Tensor Tape::multiply(const Tensor& x, const Tensor& y) {
  save(x);
  save(y);
  return create(x.elements, wider(x.format, y.format));
}

Tensor Tape::dropout(const Tensor& x, bool active) {
  if (!active) return x;
  save(create(x.elements, TensorFormat::boolean));
  return create(x.elements, x.format);
}

// Layer normalisation is one operation, which saves its input, mean and inverse deviation. RMSNorm
// is written out: x^2 saves x, the inverse root itself, its product with x both, and the product
// with the gain the normalised x, in the format that x had.
Tensor Tape::normalize(const Tensor& x, const Normalization& norm, Count width) {
  const Tensor single = to_single(x);
  // An overflow stays one.
  const bool countable = !x.elements.overflowed() && !width.overflowed() && width.value() > 0;
  const Count rows = countable ? Count{x.elements.value() / width.value()} : x.elements;
  save(single);
  if (norm.kind == Normalization::Kind::layer_norm) {
    save_statistics(2 * rows);
    return create(x.elements, TensorFormat::fp32);
  }
  save_statistics(rows);
  if (!norm.weight) return create(x.elements, x.format);
  save(create(x.elements, x.format));
  return create(x.elements, TensorFormat::fp32);
}

// Most activations save their input, those whose derivative follows from the result save that.
// gelu_new is written out, x/2 (1 + tanh(a (x + b x^3))): the power takes FP32 and saves x, the
// last product saves x/2 and 1 + tanh, and tanh its result.
Tensor Tape::activate(const Tensor& x, Activation activation, bool composed) {
  if (composed) {
    save(to_single(x));
    save(create(x.elements, x.format));
    save(create(x.elements, TensorFormat::fp32));
    save(create(x.elements, TensorFormat::fp32));
    return create(x.elements, TensorFormat::fp32);
  }
  const Tensor result = create(x.elements, x.format);
  const bool by_result = activation == Activation::relu || activation == Activation::tanh;
  save(by_result ? result : x);
  // x sigmoid(1.702 x) is a product of two.
  if (activation == Activation::quick_gelu) save(create(x.elements, x.format));
  return result;
}

}  // namespace joulecast
