// SPDX-License-Identifier: Apache-2.0
#include <joulecast/model.hpp>

namespace joulecast {

std::string_view to_string(Activation activation) {
  switch (activation) {
    case Activation::relu: return "relu";
    case Activation::gelu: return "gelu";
    case Activation::gelu_tanh: return "gelu_tanh";
    case Activation::gelu_new: return "gelu_new";
    case Activation::silu: return "silu";
    case Activation::tanh: return "tanh";
    case Activation::quick_gelu: return "quick_gelu";
  }
  return "unknown";
}

std::string_view to_string(Head head) {
  switch (head) {
    case Head::from_config: return "from_config";
    case Head::none: return "none";
    case Head::pooler: return "pooler";
    case Head::masked_lm: return "masked_lm";
    case Head::causal_lm: return "causal_lm";
    case Head::discriminator: return "discriminator";
    case Head::classifier: return "classifier";
  }
  return "unknown";
}

}  // namespace joulecast
