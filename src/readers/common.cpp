// SPDX-License-Identifier: Apache-2.0
#include "readers/readers.hpp"

#include <joulecast/suggest.hpp>

#include <array>

#include <fmt/format.h>

namespace joulecast {

Activation read_activation(ObjectReader& reader, std::string_view key, std::string_view fallback) {
  struct Name {
    std::string_view name;
    Activation activation;
  };
  // The names of transformers' ACT2FN that stand for the same function.
  constexpr std::array names = {
      Name{"gelu", Activation::gelu},
      Name{"gelu_python", Activation::gelu},
      Name{"gelu_new", Activation::gelu_tanh},
      Name{"gelu_fast", Activation::gelu_tanh},
      Name{"gelu_pytorch_tanh", Activation::gelu_tanh},
      Name{"gelu_tanh", Activation::gelu_tanh},
      Name{"relu", Activation::relu},
      Name{"silu", Activation::silu},
      Name{"swish", Activation::silu},
      Name{"tanh", Activation::tanh},
  };
  const std::string typed = reader.text_or(key, fallback);
  std::vector<std::string> known;
  for (const Name& entry : names) {
    if (entry.name == typed) return entry.activation;
    known.emplace_back(entry.name);
  }
  reader.fail(key, fmt::format("unknown activation \"{}\"", typed.substr(0, 60)),
              fmt::format("known: {}", fmt::join(known, ", ")), ErrorKind::unsupported);
  return Activation::gelu;
}

void warn_if_absent(ObjectReader& reader, Model& model, std::string_view key,
                    std::string_view fallback) {
  if (reader.has(key)) return;
  model.warnings.push_back(
      {WarningCode::input_defaulted, std::string(key),
       fmt::format("the file does not state it; {} is the family's documented default", fallback)});
}

std::int64_t size_or_default(ObjectReader& reader, Model& model, std::string_view key,
                             std::int64_t fallback) {
  warn_if_absent(reader, model, key, fmt::format("{}", fallback));
  return reader.size_or(key, fallback);
}

void check_heads(ObjectReader& reader, std::string_view heads_key, std::int64_t heads,
                 std::string_view hidden_key, std::int64_t hidden) {
  if (hidden % heads == 0) return;
  reader.fail(heads_key, fmt::format("{} heads do not divide {} = {}", heads, hidden_key, hidden),
              fmt::format("choose {} so that {} is a multiple of it", heads_key, hidden_key));
}

double read_dropout(ObjectReader& reader, std::string_view key, double fallback) {
  return reader.optional_number(key, {0.0, 1.0}).value_or(fallback);
}

}  // namespace joulecast
