// SPDX-License-Identifier: Apache-2.0
#include "configs.hpp"

#include <array>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::int64_t parameters(const Config& config) {
  return count_all_parameters(model_of(config)).value_or(-1);
}

struct Published {
  const char* name;
  std::int64_t width;
  std::int64_t layers;
  std::int64_t heads;
  std::int64_t parameters;
};

// With V + P = 50257 + 1024 = 51281 rows, width D, F = 4 D and L layers:
//   layer  4 (D^2 + D) + (8 D^2 + 4 D + D) + 4 D = 12 D^2 + 13 D, and 2 D for the last LayerNorm.
// gpt2         51281 *  768 =  39,383,808;  7,087,872 * 12 =    85,054,464; 1,536
// gpt2-medium  51281 * 1024 =  52,511,744; 12,596,224 * 24 =   302,309,376; 2,048
// gpt2-large   51281 * 1280 =  65,639,680; 19,677,440 * 36 =   708,387,840; 2,560
// gpt2-xl      51281 * 1600 =  82,049,600; 30,740,800 * 48 = 1,475,558,400; 3,200
TEST(Gpt2, AllFourSizesHaveExactlyThePublishedParameters) {
  for (const Published& published : {Published{"gpt2", 768, 12, 12, 124'439'808},
                                     Published{"gpt2-medium", 1024, 24, 16, 354'823'168},
                                     Published{"gpt2-large", 1280, 36, 20, 774'030'080},
                                     Published{"gpt2-xl", 1600, 48, 25, 1'557'611'200}}) {
    Config config = gpt2_config();
    config["n_embd"] = std::to_string(published.width);
    config["n_layer"] = std::to_string(published.layers);
    config["n_head"] = std::to_string(published.heads);
    EXPECT_EQ(parameters(config), published.parameters) << published.name;
  }
}

TEST(Gpt2, BecomesAnEmbeddingADecoderAndATiedHead) {
  const Model model = model_of(gpt2_config());
  EXPECT_EQ(model.family, "gpt2");
  EXPECT_THAT(names_of(model), ElementsAre("embedding", "decoder", "language_model_head"));
  EXPECT_EQ(model.max_sequence_length, 1024);
  EXPECT_THAT(model.warnings, IsEmpty());
  const auto& embedding = shape_of<EmbeddingBlock>(model, "embedding");
  EXPECT_FALSE(embedding.layer_norm);
  EXPECT_TRUE(embedding.dropout);
  EXPECT_EQ(embedding.type_vocab_size, 0);
  const auto& decoder = shape_of<TransformerBlock>(model, "decoder");
  EXPECT_TRUE(decoder.attention.causal);
  EXPECT_TRUE(decoder.final_norm);
  EXPECT_FALSE(decoder.cross_attention);
  EXPECT_EQ(decoder.feed_forward.intermediate_size, 4 * 768);
  EXPECT_EQ(decoder.attention.num_attention_heads, 12);
  EXPECT_EQ(decoder.feed_forward.activation, Activation::gelu_tanh);
  const auto& head = shape_of<LanguageModelHeadBlock>(model, "language_model_head");
  EXPECT_TRUE(head.tied_embedding);
  EXPECT_FALSE(head.bias);
  EXPECT_FALSE(head.transform);
}

// An inner width of 1000 instead of 4 * 768 = 3072: 12 (3072 - 1000) (2 * 768 + 1) fewer.
TEST(Gpt2, TakesTheInnerWidthIfItIsStated) {
  EXPECT_EQ(parameters(with(gpt2_config(), "n_inner", "1000")),
            124'439'808 - 12 * 2072 * (2 * 768 + 1));
  EXPECT_EQ(parameters(with(gpt2_config(), "n_inner", "null")), 124'439'808);
  EXPECT_EQ(error_of(gpt2_config(), "n_inner", "0").where.path, "n_inner");
}

// 50257 * 768 = 38,597,376.
TEST(Gpt2, AnUntiedHeadHasAMatrixOfItsOwn) {
  EXPECT_EQ(parameters(with(gpt2_config(), "tie_word_embeddings", "false")),
            124'439'808 + 38'597'376);
  EXPECT_EQ(error_of(gpt2_config(), "tie_word_embeddings", "\"no\"").kind, ErrorKind::schema);
}

TEST(Gpt2, TakesTheHeadFromTheArchitectureOrTheCaller) {
  const Config body = with(gpt2_config(), "architectures", "[\"GPT2Model\"]");
  EXPECT_THAT(names_of(model_of(body)), ElementsAre("embedding", "decoder"));
  EXPECT_THAT(names_of(model_of(body, Head::causal_lm)),
              ElementsAre("embedding", "decoder", "language_model_head"));
  EXPECT_THAT(names_of(model_of(gpt2_config(), Head::none)), ElementsAre("embedding", "decoder"));
  const Error error = error_of(gpt2_config(), "architectures", "[\"GPT2ForTokenClassification\"]");
  EXPECT_EQ(error.kind, ErrorKind::unsupported);
  EXPECT_THAT(error.message, HasSubstr("GPT2ForTokenClassification"));
  EXPECT_THAT(error.remedy, HasSubstr("--head"));
}

TEST(Gpt2, HasNoHeadOfBert) {
  for (const Head head : {Head::pooler, Head::masked_lm}) {
    const auto model = read_config(gpt2_config(), head);
    ASSERT_FALSE(model.has_value());
    EXPECT_EQ(model.error().kind, ErrorKind::unsupported);
    EXPECT_THAT(model.error().message, HasSubstr(std::string(to_string(head))));
  }
}

// The defaults are those of transformers' GPT2Config, which are gpt2 itself.
TEST(Gpt2, TakesTheDocumentedDefaultsAndSaysSo) {
  const Model model = model_of({{"model_type", "\"gpt2\""}});
  EXPECT_EQ(count_all_parameters(model).value(), 124'439'808);
  EXPECT_EQ(model.max_sequence_length, 1024);
  EXPECT_EQ(shape_of<TransformerBlock>(model, "decoder").attention.num_attention_heads, 12);
  EXPECT_THAT(warned(model), UnorderedElementsAre("vocab_size", "n_embd", "n_positions", "n_layer",
                                                  "n_head", "activation_function", "embd_pdrop",
                                                  "attn_pdrop", "resid_pdrop", "architectures"));
}

TEST(Gpt2, EachDropoutSwitchesItsOwnLayer) {
  const auto flags = [](const std::string& key) {
    const Model model = model_of(with(gpt2_config(), key, "0.0"));
    const auto& decoder = shape_of<TransformerBlock>(model, "decoder");
    return std::array{shape_of<EmbeddingBlock>(model, "embedding").dropout,
                      decoder.attention.dropout, decoder.hidden_dropout};
  };
  EXPECT_EQ(flags("embd_pdrop"), (std::array{false, true, true}));
  EXPECT_EQ(flags("attn_pdrop"), (std::array{true, false, true}));
  EXPECT_EQ(flags("resid_pdrop"), (std::array{true, true, false}));
}

TEST(Gpt2, RefusesSizesThatCannotBe) {
  for (const char* key : {"vocab_size", "n_embd", "n_positions", "n_layer", "n_head", "n_inner"}) {
    for (const char* value : {"0", "-1", "1099511627777", "9223372036854775808", "0.5"}) {
      const Error error = error_of(gpt2_config(), key, value);
      EXPECT_EQ(error.kind, ErrorKind::value) << key << " " << value;
      EXPECT_EQ(error.where.path, key);
    }
    EXPECT_EQ(error_of(gpt2_config(), key, "\"768\"").kind, ErrorKind::schema) << key;
  }
}

TEST(Gpt2, RefusesHeadsThatDoNotDivideTheWidth) {
  const Error error = error_of(gpt2_config(), "n_head", "7");
  EXPECT_EQ(error.where.path, "n_head");
  EXPECT_THAT(error.message, HasSubstr("7 heads do not divide n_embd = 768"));
}

TEST(Gpt2, RefusesCrossAttentionAndUnknownActivations) {
  EXPECT_EQ(error_of(gpt2_config(), "add_cross_attention", "true").kind, ErrorKind::unsupported);
  EXPECT_EQ(error_of(gpt2_config(), "activation_function", "\"GELU\"").kind,
            ErrorKind::unsupported);
}

// The largest width that is accepted, 2^40, has 4 D^2 = 2^82 numbers in one layer's attention;
// reading does not count, so the count must refuse.
TEST(Gpt2, AModelTooLargeToCountIsAnErrorOfTheCount) {
  Config config = with(gpt2_config(), "n_embd", "1099511627776");
  config["n_head"] = "1";
  const auto count = count_all_parameters(model_of(config));
  ASSERT_FALSE(count.has_value());
  EXPECT_EQ(count.error().kind, ErrorKind::overflow);
  EXPECT_EQ(count.error().where.file, "models/tiny/config.json");
}

}  // namespace
}  // namespace joulecast
