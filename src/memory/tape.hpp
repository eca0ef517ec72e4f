// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does a forward pass keep for the backward pass? Each operation saves what its derivative
// needs, as PyTorch's autograd does, and each storage counts once however many operations save it.
//
// Autocast (torch.amp): products convert their operands to 16 bits, each use of an activation anew
// and each weight once; normalisations, softmax and losses convert theirs to FP32; everything else
// takes the wider format of its operands.

#include <joulecast/memory.hpp>
#include <joulecast/quantities.hpp>

#include <cstddef>
#include <vector>

namespace joulecast {

enum class TensorFormat { fp32, half, fp8, boolean, index };

struct Tensor {
  std::size_t storage = 0;
  Count elements = 0;
  TensorFormat format = TensorFormat::fp32;
  bool has_gradient = true;  // false of data
};

// Bytes of what was saved.
struct SavedBytes {
  Count weight_copies = 0;
  Count activations = 0;
  Count loss = 0;
  Count loss_gradients = 0;  // alive beside what is kept when the backward pass begins
};

class Tape {
 public:
  explicit Tape(const TrainingSetup& setup) : setup_(setup) {}

  [[nodiscard]] const TrainingSetup& setup() const { return setup_; }
  [[nodiscard]] bool is_mixed() const;

  // What follows happens in each of `layers` equal layers, of which `distinct` own weights; the
  // input of a layer is the output of the one before.
  Tensor begin_layers(const Tensor& input, Count layers, Count distinct);
  // The last layer's output, which is kept once more only if the layers themselves do not keep it.
  Tensor end_layers(const Tensor& output);
  // What follows is the core of an attention, which selective recomputation does not keep.
  void begin_core() { in_core_ = true; }
  void end_core() { in_core_ = false; }
  // What follows belongs to the loss, whose gradients need as much at once.
  void begin_loss(Count gradient_bytes);
  void end_loss() { in_loss_ = false; }

  Tensor create(Count elements, TensorFormat format);
  // A batch's data, which are there anyway.
  Tensor data(Count elements);
  void save(const Tensor& value);
  // Numbers beside the values: saved statistics.
  void save_statistics(Count numbers) { save(create(numbers, TensorFormat::fp32)); }

  // In the format that products take, or in FP32: converted where it is in another one.
  Tensor to_product(const Tensor& x);
  Tensor to_single(const Tensor& x);

  // y = x W for `rows` rows: saves x and W.
  Tensor linear(const Tensor& x, Count rows, Count in, Count out);
  // A product that autocast does not convert: grouped products of experts.
  Tensor plain_linear(const Tensor& x, Count rows, Count out);
  // What an operation with a weight needs: its input and a copy of the weight in its format.
  Tensor save_operands(const Tensor& x, Count weight_numbers);
  Tensor add(const Tensor& x, const Tensor& y);
  // Saves both.
  Tensor multiply(const Tensor& x, const Tensor& y);
  // Saves a mask of one byte a value.
  Tensor dropout(const Tensor& x, bool active);
  Tensor normalize(const Tensor& x, const Normalization& norm, Count width);
  Tensor activate(const Tensor& x, Activation activation, bool composed = false);

  [[nodiscard]] const SavedBytes& saved() const { return saved_; }

 private:
  struct Storage {
    Count bytes = 0;  // of all layers
    bool is_loss = false;
    bool is_saved = false;
  };
  // How often a value of the layer at hand exists when the backward pass begins.
  [[nodiscard]] Count multiplicity() const;

  TrainingSetup setup_;
  std::vector<Storage> storages_;
  SavedBytes saved_;
  Count layers_ = 1;
  Count distinct_ = 1;
  bool in_layers_ = false;
  bool in_core_ = false;
  bool in_loss_ = false;
};

}  // namespace joulecast
