// SPDX-License-Identifier: Apache-2.0
// Whisper: Radford et al. 2022, arXiv:2212.04356: two convolutions halve the spectrogram's frames,
// sinusoids that are not trained tell their positions. Keys and defaults: transformers'
// WhisperConfig.
#include "readers/heads.hpp"
#include "readers/seq2seq.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 2> whisper_heads = {
    {{"WhisperForConditionalGeneration", Head::causal_lm}, {"WhisperModel", Head::none}}};

Block spectrogram_convolutions(std::int64_t mel_bins, std::int64_t d, std::int64_t positions) {
  const ConvolutionLayer first{.in_channels = mel_bins,
                               .out_channels = d,
                               .kernel_size = 3,
                               .padding = 1,
                               .one_dimensional = true,
                               .activation = Activation::gelu};
  ConvolutionLayer second = first;
  second.in_channels = d;
  second.stride = 2;
  return {"spectrogram", ConvolutionBlock{.layers = {first, second}, .reads_data = true},
          fixed_positions((Count{2} * positions).value())};
}

}  // namespace

Result<Model> read_whisper(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "whisper"};
  const std::int64_t d = size_or_default(reader, model, "d_model", 384);
  const std::int64_t frames = size_or_default(reader, model, "max_source_positions", 1500);
  const std::int64_t tokens = size_or_default(reader, model, "max_target_positions", 448);
  warn_if_absent(reader, model, "activation_function", "gelu");
  TransformerBlock encoder = read_stack(reader, model, "encoder", {4, 6, 1536}, d);
  TransformerBlock decoder = read_stack(reader, model, "decoder", {4, 6, 1536}, d);
  for (TransformerBlock* stack : {&encoder, &decoder}) {
    stack->hidden_dropout = read_flag(reader, "dropout", 0.0);
    stack->attention.bias.key = false;
    stack->final_norm = true;
  }
  const Positions heard = fixed_positions(frames);
  decoder.cross_attention = CrossAttention{.attention = decoder.attention, .source = heard};
  decoder.cross_attention->attention.causal = false;
  const EmbeddingBlock embedding{.vocab_size = size_or_default(reader, model, "vocab_size", 51865),
                                 .hidden_size = d,
                                 .max_position_embeddings = tokens,
                                 .dropout = decoder.hidden_dropout,
                                 .scaled = reader.boolean_or("scale_embedding", false)};
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, whisper_heads, whisper_heads[0]);
  model.max_sequence_length = tokens;
  model.blocks = {
      spectrogram_convolutions(size_or_default(reader, model, "num_mel_bins", 80), d, frames),
      {"positions",
       PositionEmbeddingBlock{.num_positions = frames, .hidden_size = d, .trainable = false},
       heard},
      {"encoder", encoder, heard},
      {"embedding", embedding},
      {"decoder", decoder}};
  if (head == Head::causal_lm) {
    model.blocks.push_back(
        {"language_model_head",
         LanguageModelHeadBlock{
             .hidden_size = d, .vocab_size = embedding.vocab_size, .tied_embedding = tied}});
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast
