// SPDX-License-Identifier: Apache-2.0
#include "readers/readers.hpp"

#include <joulecast/suggest.hpp>

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {

Activation read_activation(ObjectReader& reader, std::string_view key, std::string_view fallback) {
  return activation_from(reader, key, reader.text_or(key, fallback));
}

Activation activation_from(ObjectReader& reader, std::string_view key, const std::string& typed) {
  struct Name {
    std::string_view name;
    Activation activation;
  };
  // The names of transformers' ACT2FN that stand for the same function.
  constexpr std::array names = {
      Name{"gelu", Activation::gelu},
      Name{"gelu_python", Activation::gelu},
      Name{"gelu_new", Activation::gelu_new},
      Name{"gelu_fast", Activation::gelu_tanh},
      Name{"gelu_pytorch_tanh", Activation::gelu_tanh},
      Name{"gelu_tanh", Activation::gelu_tanh},
      Name{"relu", Activation::relu},
      Name{"silu", Activation::silu},
      Name{"swish", Activation::silu},
      Name{"tanh", Activation::tanh},
      Name{"quick_gelu", Activation::quick_gelu},
  };
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

std::string_view key_or_alias(ObjectReader& reader, std::string_view key, std::string_view alias) {
  // Asked for both, so that both count as known.
  const bool own = reader.has(key);
  const bool other = reader.has(alias);
  if (own && other && reader.size(key) != reader.size(alias)) {
    reader.fail(alias, fmt::format("contradicts {}, which means the same", key),
                fmt::format("keep one of {} and {}", key, alias));
  }
  return !own && other ? alias : key;
}

namespace {

// transformers ignores such a key and trains another model than the one meant.
void warn_of_misspelt_keys(const ObjectReader& reader, Model& model) {
  for (const auto& [typed, meant, line] : reader.misspellings()) {
    const std::string place = line > 0 ? fmt::format(" (line {})", line) : std::string();
    model.warnings.push_back(
        {WarningCode::input_defaulted, typed,
         fmt::format("nothing reads this key{}, and {} is absent and took its default: did you "
                     "mean {}?",
                     place, meant, meant)});
  }
}

void check_uncovered_keys(ObjectReader& reader, Model& model) {
  // An object without keys is what transformers writes where nothing is pruned.
  if (auto heads = reader.child_if_object("pruned_heads")) {
    heads->refuse_unknown_keys();
    if (heads->error()) {
      reader.fail("pruned_heads", "models with pruned heads are not supported",
                  "predict the model without pruning", ErrorKind::unsupported);
    }
  }
  if (reader.has("position_embedding_type") &&
      reader.text("position_embedding_type") != "absolute") {
    reader.fail("position_embedding_type", "only absolute positions are supported",
                "leave the key out to predict with absolute positions", ErrorKind::unsupported);
  }
  if (reader.has("gradient_checkpointing") && reader.boolean_or("gradient_checkpointing", false)) {
    model.warnings.push_back(
        {WarningCode::key_not_modelled, "gradient_checkpointing",
         "the second forward pass that it costs is not modelled: training takes longer"});
  }
}

}  // namespace

Result<Model> finish_model(ObjectReader& reader, Model model) {
  warn_of_misspelt_keys(reader, model);
  check_uncovered_keys(reader, model);
  if (reader.error()) return std::unexpected(*reader.error());
  return model;
}

void warn_of_architectures(Model& model, const std::vector<std::string>& all,
                           std::string_view taken) {
  if (all.size() < 2) return;
  model.warnings.push_back({WarningCode::key_not_modelled, "architectures",
                            fmt::format("the file names {}; {} is taken (--head chooses another)",
                                        fmt::join(all, ", "), taken)});
}

void check_heads(ObjectReader& reader, std::string_view heads_key, std::int64_t heads,
                 std::string_view hidden_key, std::int64_t hidden) {
  if (hidden % heads == 0) return;
  reader.fail(heads_key, fmt::format("{} heads do not divide {} = {}", heads, hidden_key, hidden),
              fmt::format("choose {} so that {} is a multiple of it", heads_key, hidden_key));
}

std::int64_t read_rotary_dim(ObjectReader& reader, std::string_view key, double fallback,
                             std::int64_t head_dim) {
  const double share = reader.optional_number(key, {0.0, 1.0}).value_or(fallback);
  // transformers cuts to a whole number in the same way.
  return static_cast<std::int64_t>(static_cast<double>(head_dim) * share);
}

bool check_layers(ObjectReader& reader, std::string_view key, std::int64_t layers) {
  constexpr std::int64_t most = 100'000;
  if (layers <= most) return true;
  reader.fail(key, fmt::format("{} layers of several kinds; at most {} are read", layers, most),
              "give the number that the model really has");
  return false;
}

bool read_flag(ObjectReader& reader, std::string_view key, double fallback) {
  return read_dropout(reader, key, fallback) > 0.0;
}

double read_dropout(ObjectReader& reader, std::string_view key, double fallback) {
  return reader.optional_number(key, {0.0, 1.0}).value_or(fallback);
}

}  // namespace joulecast
