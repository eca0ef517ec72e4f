// SPDX-License-Identifier: Apache-2.0
#pragma once

// Collects the operations of one block: a forward operation together with the backward ones it
// entails, so that no forward formula can be added without its gradients.

#include <joulecast/operation.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// Cost of one element: arithmetic steps, values read and written by all kernels together, and how
// many kernels these are. No launch: the operation is a part of its neighbour's kernel, and moves
// nothing of its own.
struct ElementCost {
  std::int64_t flops = 0;
  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t launches = 1;
};

// Bytes of the values of an elementwise operation. `activations`: those of the training precision.
// `full`: 32 bits, where autocast computes in FP32 (norms, losses, powers and what they feed). A
// `cast` reads one format and writes the other.
enum class ValueWidth { activations, full, cast };

// Forward and backward cost of an elementwise operation.
struct ElementCosts {
  ElementCost forward{};
  ElementCost backward{};
};

struct ElementOperation {
  std::string_view name{};
  OperationKind kind = OperationKind::elementwise;
  Count elements = 0;
  std::int64_t width = 1;
  ElementCosts costs{};
  Count executions = 1;
  ValueWidth width_of_values = ValueWidth::activations;
  std::int64_t library_launches = 0;  // in place of those of the costs, forward and backward alike
};

// What a framework does around the product of a linear layer.
struct LinearParts {
  bool bias = true;
  // Layers that stand side by side in one product here, each a call of its own (queries, keys and
  // values; up and gate).
  std::int64_t layers = 1;
  // Whether autocast finds the input in FP32, as behind a norm.
  bool full_input = false;
};

struct MatmulSizes {
  Count batch = 1;
  Count m = 0;
  Count n = 0;
  Count k = 0;
};

// `groups` products whose rows sum to m.
struct GroupedSizes {
  Count groups = 1;
  Count m = 0;
  Count n = 0;
  Count k = 0;
};

// Positions of a sample, as rows and columns.
struct Extent {
  Count height = 1;
  Count width = 1;

  [[nodiscard]] Count positions() const { return height * width; }
};

// Positions that a convolution gives of those that it reads.
Extent convolved(const Extent& input, const ConvolutionShape& shape);

class Emitter {
 public:
  Emitter(const TrainingSetup& setup, std::string file) : setup_(setup), file_(std::move(file)) {}

  void begin_block(std::string name, Extent extent = {}) {
    block_ = std::move(name);
    extent_ = extent;
  }
  // For blocks that change the number of positions on the way.
  void set_extent(const Extent& extent) { extent_ = extent; }
  // Of the block at hand.
  [[nodiscard]] const Extent& extent() const { return extent_; }
  // Rows of its matrix products: B times its positions.
  [[nodiscard]] Count rows() const { return setup_.batch_size * extent_.positions(); }
  // How many positions, of which the model or the setup decides.
  [[nodiscard]] Extent extent_of(const Positions& positions) const;

  // y = x W: m rows, k inputs, n outputs. Backward: dx = dy W^T, dW = x^T dy, and the sum of dy over
  // its rows for the bias. Under 16-bit autocast (Micikevicius et al. 2018, arXiv:1710.03740) the
  // FP32 weights, and an FP32 input, are cast forward, their gradients cast back.
  void linear(std::string_view name, MatmulSizes sizes, Count executions = 1,
              LinearParts parts = {});
  // y = a b with two activations, as in attention. Backward: da = dy b^T and db = a^T dy.
  void product(std::string_view name, MatmulSizes sizes, Count executions = 1);
  // A linear layer whose rows are split among groups, each with a weight of its own.
  void grouped_linear(std::string_view name, GroupedSizes sizes, Count executions = 1);
  // softmax(q k^T) v in one kernel, and its backward pass in another.
  void fused_attention(std::string_view name, const FusedAttentionShape& shape, Count executions);
  // Input gradients are left out where the input is data.
  void convolution(std::string_view name, const ConvolutionShape& shape, Count executions = 1,
                   bool input_gradient = true);
  void elements(const ElementOperation& operation);
  // The forward pass alone, for conventions that leave the backward pass out.
  void forward_elements(const ElementOperation& operation);
  // A cast between FP32 and the training precision and back again for the gradient; nothing where
  // the precision is no autocast.
  void cast(std::string_view name, Count elements, Count executions, std::int64_t launches);
  [[nodiscard]] bool autocasts() const;
  [[nodiscard]] bool compiled() const { return setup_.execution == Execution::compiled; }
  void optimizer(Count parameters, ElementCost cost, std::int64_t bytes_per_value);

  // One matrix product in one phase; `linear` and `product` are made of it.
  void matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions,
              std::int64_t library_launches = 0);

  // The first error sticks; nothing is listed after it.
  void fail(ErrorKind kind, std::string message, std::string remedy);

  // Forward operations, then backward ones in reverse order, then the optimizer.
  Result<std::vector<Operation>> take() &&;

  [[nodiscard]] const TrainingSetup& setup() const { return setup_; }

 private:
  enum class Role { linear, product };
  struct MatmulCall {
    Role role = Role::linear;
    std::int64_t launches = 1;
    std::int64_t library_launches = 0;
  };
  void add_matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions,
                  MatmulCall call);
  void add_attention(std::string_view name, Phase phase, const FusedAttentionShape& shape,
                     Count executions);
  void add_grouped(std::string_view name, Phase phase, GroupedSizes sizes, Count executions);
  void add_convolution(std::string_view name, Phase phase, const ConvolutionShape& shape,
                       Count executions);
  void add_elements(const ElementOperation& source, Phase phase, const ElementCost& cost);
  void add(Operation operation, Count flops, Count bytes, Count executions);

  TrainingSetup setup_;
  std::string file_;
  std::string block_;
  Extent extent_;
  std::vector<Operation> forward_;
  std::vector<std::vector<Operation>> backward_;  // one group per forward operation
  std::vector<Operation> optimizer_;
  std::optional<Error> error_;
};

}  // namespace joulecast
