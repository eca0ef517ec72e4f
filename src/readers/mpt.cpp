// SPDX-License-Identifier: Apache-2.0
// MPT: MosaicML 2023, with ALiBi and without any bias. Keys and defaults: transformers' MptConfig.
#include "readers/decoder.hpp"

namespace joulecast {
namespace {

void read_mpt_attention(ObjectReader& reader, Attention& attention) {
  attention.positions = AlibiPositions{};
  auto keys = reader.child("attn_config");
  if (!keys || keys->error()) return;
  if (!keys->boolean_or("alibi", true)) {
    keys->fail("alibi", "transformers builds this family with ALiBi alone",
               "leave alibi out, or set it to true", ErrorKind::unsupported);
  }
  const std::string type = keys->text_or("attn_type", "multihead_attention");
  if (type != "multihead_attention") {
    keys->fail("attn_type", "only multihead_attention is supported",
               "describe the model in a TOML file", ErrorKind::unsupported);
  }
  attention.dropout = read_flag(*keys, "attn_pdrop", 0.0);
  reader.adopt(keys->error());
}

}  // namespace

Result<Model> read_mpt(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "mpt"};
  Decoder decoder;
  // MptConfig.attribute_map.
  const std::string_view width = key_or_alias(reader, "d_model", "hidden_size");
  const std::string_view layers = key_or_alias(reader, "n_layers", "num_hidden_layers");
  const std::string_view heads = key_or_alias(reader, "n_heads", "num_attention_heads");
  const std::int64_t d = size_or_default(reader, model, width, 2048);
  decoder.embedding = {.vocab_size = size_or_default(reader, model, "vocab_size", 50368),
                       .hidden_size = d,
                       .dropout = read_flag(reader, "emb_pdrop", 0.0)};
  TransformerBlock& layer = decoder.layer;
  layer.hidden_size = d;
  layer.num_hidden_layers = size_or_default(reader, model, layers, 24);
  layer.attention.num_attention_heads = size_or_default(reader, model, heads, 16);
  layer.attention.causal = true;
  layer.attention.fused_projections = true;
  layer.attention.bias = no_bias;
  read_mpt_attention(reader, layer.attention);
  check_heads(reader, heads, layer.attention.num_attention_heads, width, d);
  // transformers' feed-forward layers are four times as wide whatever expansion_ratio says.
  if (reader.size_or("expansion_ratio", 4) != 4) {
    model.warnings.push_back({WarningCode::key_not_modelled, "expansion_ratio",
                              "transformers builds feed-forward layers of four times the width"});
  }
  layer.feed_forward = {.intermediate_size = (Count{4} * d).value(), .bias = false};
  layer.hidden_dropout = read_flag(reader, "resid_pdrop", 0.0);
  layer.norm.bias = false;
  layer.final_norm = true;
  if (!reader.boolean_or("no_bias", true)) {
    reader.fail("no_bias", "transformers builds this family without biases alone",
                "leave no_bias out, or set it to true", ErrorKind::unsupported);
  }
  decoder.tied = reader.boolean_or("tie_word_embeddings", true);
  return finish_decoder(reader, std::move(model), decoder, head, "Mpt");
}

}  // namespace joulecast
