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

// Cost of one element: arithmetic steps, values read, values written.
struct ElementCost {
  std::int64_t flops = 0;
  std::int64_t reads = 0;
  std::int64_t writes = 0;
};

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
};

struct MatmulSizes {
  Count batch = 1;
  Count m = 0;
  Count n = 0;
  Count k = 0;
};

class Emitter {
 public:
  Emitter(const TrainingSetup& setup, std::string file) : setup_(setup), file_(std::move(file)) {}

  void begin_block(std::string name) { block_ = std::move(name); }

  // y = x W: m rows, k inputs, n outputs. Backward: dx = dy W^T and dW = x^T dy.
  void linear(std::string_view name, MatmulSizes sizes, Count executions = 1);
  // y = a b with two activations, as in attention. Backward: da = dy b^T and db = a^T dy.
  void product(std::string_view name, MatmulSizes sizes, Count executions = 1);
  void elements(const ElementOperation& operation);
  // The forward pass alone, for conventions that leave the backward pass out.
  void forward_elements(const ElementOperation& operation);
  void optimizer(Count parameters, ElementCost cost, std::int64_t bytes_per_value);

  // One matrix product in one phase; `linear` and `product` are made of it.
  void matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions);

  // Forward operations, then backward ones in reverse order, then the optimizer.
  Result<std::vector<Operation>> take() &&;

  [[nodiscard]] const TrainingSetup& setup() const { return setup_; }

 private:
  enum class Role { linear, product };
  void add_matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions,
                  Role role);
  void add_elements(const ElementOperation& source, Phase phase, const ElementCost& cost);
  void add(Operation operation, Count flops, Count bytes, Count executions);

  TrainingSetup setup_;
  std::string file_;
  std::string block_;
  std::vector<Operation> forward_;
  std::vector<std::vector<Operation>> backward_;  // one group per forward operation
  std::vector<Operation> optimizer_;
  std::optional<Error> error_;
};

}  // namespace joulecast
