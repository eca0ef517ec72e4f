// SPDX-License-Identifier: Apache-2.0
// Products and convolutions of every model against what PyTorch ran and its FlopCounterMode counted
// (scripts/reference_counts/README.md, eager attention). The rule that makes them equal:
//   * PyTorch counts matrix products and convolutions alone, so only those are compared;
//   * transformers multiplies rotary frequencies with positions as a product, 1 x (d/2) by 1 x S,
//     which joulecast leaves out: a table of angles is no work that a step has to do;
//   * products of one input are one product of ours: queries, keys and values; gate and up; the
//     projections of relative positions. Widths are summed over products of the same input;
//   * of a convolution with groups PyTorch counts the weight gradient `groups` times.
#include "../readers/reference_counts.hpp"

#include <joulecast/operation.hpp>

#include <gtest/gtest.h>
#include <map>
#include <tuple>

namespace joulecast {
namespace {

using Sizes = std::vector<std::int64_t>;

std::vector<Sizes> shapes_of(const Value& call_shapes) {
  std::vector<Sizes> shapes;
  for (const Value& shape : std::get<Array>(call_shapes.data)) {
    Sizes sizes;
    for (const Value& size : std::get<Array>(shape.data)) sizes.push_back(integer(&size));
    shapes.push_back(std::move(sizes));
  }
  return shapes;
}

// A recorded call: a tiny model's without a count, others' with one in front.
struct Call {
  std::int64_t count = 1;
  std::string name{};
  std::vector<Sizes> shapes{};
  const Value* arguments = nullptr;
};

std::vector<Call> forward_calls(const ReferenceRecord& record) {
  const bool tiny = record.set == "tiny";
  const Value* listed = find_member(record.value, tiny ? "operations" : "operations_grouped");
  std::vector<Call> calls;
  for (const Value& entry : items(find_member(*listed, "forward"))) {
    const Array& parts = std::get<Array>(entry.data);
    const std::size_t first = tiny ? 0 : 1;
    calls.push_back({tiny ? 1 : integer(parts.data()), text(&parts[first]),
                     shapes_of(parts[first + 1]),
                     parts.size() > first + 2 ? &parts[first + 2] : nullptr});
  }
  return calls;
}

bool is_rotary_table(const Call& call) {
  return call.name == "bmm" && call.shapes[0][0] == 1 && call.shapes[0][2] == 1;
}

// Sum of the widths n of all products with the same batch, rows m and inner size k.
using Products = std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::int64_t>;
// Batch, channels in and out, height and width of the input, kernel, stride, padding, groups.
using Convolutions = std::map<Sizes, std::int64_t>;

struct Work {
  Products products{};
  Convolutions convolutions{};
  std::int64_t rotary_flops = 0;

  bool operator==(const Work&) const = default;
};

void add_convolution(Convolutions& all, const Call& call) {
  const Sizes& input = call.shapes[0];
  const Sizes& weight = call.shapes[1];
  const auto first = [&](const char* key) {
    return integer(items(find_member(*call.arguments, key)).data());
  };
  const std::int64_t width = input.size() == 4 ? input[3] : 1;
  all[{input[0], input[1], weight[0], input[2], width, weight[2], first("stride"), first("padding"),
       integer(find_member(*call.arguments, "groups"))}] += call.count;
}

Work recorded_work(const ReferenceRecord& record, bool gathers_experts) {
  Work work;
  for (const Call& call : forward_calls(record)) {
    if (call.name == "convolution") {
      add_convolution(work.convolutions, call);
      continue;
    }
    // A bias may stand in front of the two operands.
    const Sizes& left = call.shapes[call.shapes.size() - 2];
    const Sizes& right = call.shapes.back();
    if (is_rotary_table(call)) {
      work.rotary_flops += call.count * 2 * left[1] * right[2];
    } else if (left.size() == 2) {
      work.products[{1, left[0], left[1]}] += call.count * right[1];
    } else if (gathers_experts && right[2] == 1) {
      // One product of a gathered weight by a token for each visit: rows of a grouped product.
      work.products[{-1, left[0], left[2]}] += call.count * left[1];
    } else {
      work.products[{left[0], left[1], left[2]}] += call.count * right[2];
    }
  }
  return work;
}

Work listed_work(const std::vector<Operation>& operations) {
  Work work;
  for (const Operation& operation : operations) {
    if (operation.phase != Phase::forward) continue;
    if (const auto* product = std::get_if<MatmulShape>(&operation.shape)) {
      work.products[{product->batch, product->m, product->k}] += operation.count * product->n;
    } else if (const auto* grouped = std::get_if<GroupedMatmulShape>(&operation.shape)) {
      work.products[{-1, grouped->m, grouped->k}] += operation.count * grouped->n;
    } else if (const auto* c = std::get_if<ConvolutionShape>(&operation.shape)) {
      work.convolutions[{c->batch, c->in_channels, c->out_channels, c->height, c->width, c->kernel,
                         c->stride, c->padding, c->groups}] += operation.count;
    }
  }
  return work;
}

TrainingSetup setup_of(const ReferenceRecord& record) {
  TrainingSetup setup{.batch_size = 1, .sequence_length = 1};
  const Value* inputs = find_member(record.value, "inputs");
  for (const char* key : {"pixel_values", "input_features", "input_ids", "decoder_input_ids"}) {
    const Value* shape = find_member(*inputs, key);
    if (shape == nullptr) continue;
    const Array& sizes = items(shape);
    setup.batch_size = integer(sizes.data());
    if (sizes.size() != 2) continue;
    // Whisper's only tokens are the decoder's.
    const bool target = std::string_view(key) == "decoder_input_ids";
    if (target && find_member(*inputs, "input_ids") != nullptr) {
      setup.target_sequence_length = integer(&sizes[1]);
    } else {
      setup.sequence_length = integer(&sizes[1]);
    }
  }
  return setup;
}

struct Totals {
  std::int64_t forward = 0;
  std::int64_t all = 0;
};

// What FlopCounterMode would say of our list.
Totals counted(const std::vector<Operation>& operations) {
  Totals totals;
  for (const Operation& operation : operations) {
    const bool product =
        operation.kind == OperationKind::matmul || operation.kind == OperationKind::convolution;
    if (!product) continue;
    const std::int64_t flops = operation.flops * operation.count;
    if (operation.phase == Phase::forward) totals.forward += flops;
    const auto* convolution = std::get_if<ConvolutionShape>(&operation.shape);
    const bool weight = operation.phase == Phase::backward_weight;
    totals.all += flops * (convolution != nullptr && weight ? convolution->groups : 1);
  }
  return totals;
}

// Experts run as one product per token where the counter sees them all.
bool is_compared(const ReferenceRecord& record) {
  const Value* experts = find_member(record.value, "experts");
  const bool grouped = !is_null(experts) && text(experts) != "batched_mm";
  return text(find_member(record.value, "attention")) == "eager" && !grouped &&
         !is_null(find_member(record.value, "flops_forward"));
}

TEST(ReferenceFlops, EveryProductAndConvolutionHasTheShapeThatPyTorchRan) {
  int compared = 0;
  for (const ReferenceRecord& record : reference_records("operations")) {
    if (!is_compared(record)) continue;
    const Model model = read_model(config_of(record)).value();
    const auto operations = list_operations(model, setup_of(record));
    ASSERT_TRUE(operations.has_value()) << record.id << describe(operations.error());
    const Work ours = listed_work(*operations);
    const Work theirs = recorded_work(record, !is_null(find_member(record.value, "experts")));
    EXPECT_EQ(ours.products, theirs.products) << record.id;
    EXPECT_EQ(ours.convolutions, theirs.convolutions) << record.id;

    const Totals totals = counted(*operations);
    const auto total = [&](const char* key) {
      return integer(find_member(*find_member(record.value, key), "total"));
    };
    EXPECT_EQ(totals.forward + theirs.rotary_flops, total("flops_forward")) << record.id;
    EXPECT_EQ(totals.all + theirs.rotary_flops, total("flops_forward_backward")) << record.id;
    ++compared;
  }
  // All 55 tiny models and 109 real ones; transformers could not run the other five within its
  // time.
  EXPECT_EQ(compared, 164);
}

}  // namespace
}  // namespace joulecast
