// SPDX-License-Identifier: Apache-2.0
#include "configs.hpp"

#include <algorithm>
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

std::int64_t parameters(const Config& config, Head head = Head::from_config) {
  return count_all_parameters(model_of(config, head)).value_or(-1);
}

// bert-base-uncased: V = 30522, P = 512, T = 2, D = 768, F = 3072, L = 12.
//   embedding  (30522 + 512 + 2) * 768 + 2 * 768                          =  23,837,184
//   layer      4 (768^2 + 768) + (2 * 768 * 3072 + 3072 + 768) + 4 * 768  =   7,087,872
//   encoder    12 * 7,087,872                                             =  85,054,464
//   encoder alone                                                           108,891,648
//   pooler     768^2 + 768                      =   590,592               : 109,482,240
//   LM head    768^2 + 768 + 2 * 768 + 30522    =   622,650               : 109,514,298
TEST(Bert, BaseHasExactlyThePublishedParameters) {
  const Config config = bert_base_config();
  EXPECT_EQ(parameters(config, Head::none), 108'891'648);
  EXPECT_EQ(parameters(config, Head::pooler), 109'482'240);
  EXPECT_EQ(parameters(config, Head::masked_lm), 109'514'298);
  EXPECT_EQ(parameters(config), 109'514'298);
}

// transformers ignores the key and trains the default size.
TEST(Bert, AMisspeltKeyIsToldOfTheOneThatIsMeant) {
  Config config = with(bert_base_config(), "hidden_size", "");
  config["hiden_size"] = "1024";
  const auto warnings = model_of(config).warnings;
  const auto found = std::ranges::find(warnings, "hiden_size", &Warning::subject);
  ASSERT_NE(found, warnings.end());
  EXPECT_THAT(found->message, HasSubstr("did you mean hidden_size?"));
  EXPECT_TRUE(model_of(bert_base_config()).warnings.empty());
}

// bert-large-uncased: D = 1024, F = 4096, L = 24, 16 heads.
//   embedding  31036 * 1024 + 2 * 1024                                       =  31,782,912
//   layer      4 (1024^2 + 1024) + (2 * 1024 * 4096 + 4096 + 1024) + 4 * 1024 = 12,596,224
//   encoder    24 * 12,596,224 = 302,309,376; encoder alone                    334,092,288
//   pooler     1024^2 + 1024                       = 1,049,600               : 335,141,888
//   LM head    1024^2 + 1024 + 2 * 1024 + 30522    = 1,082,170               : 335,174,458
TEST(Bert, LargeHasExactlyThePublishedParameters) {
  Config config = bert_base_config();
  config["hidden_size"] = "1024";
  config["intermediate_size"] = "4096";
  config["num_attention_heads"] = "16";
  config["num_hidden_layers"] = "24";
  EXPECT_EQ(parameters(config, Head::none), 334'092'288);
  EXPECT_EQ(parameters(config, Head::pooler), 335'141'888);
  EXPECT_EQ(parameters(config, Head::masked_lm), 335'174'458);
}

TEST(Bert, ListsTheVariantsWhateverHeadIsChosen) {
  for (const Head head : {Head::none, Head::pooler, Head::masked_lm, Head::causal_lm}) {
    EXPECT_THAT(model_of(bert_base_config(), head).parameter_variants,
                ElementsAre(ParameterCount{"encoder_alone", 108'891'648},
                            ParameterCount{"with_pooler", 109'482'240},
                            ParameterCount{"with_masked_lm_head", 109'514'298}));
  }
}

TEST(Bert, BecomesAnEmbeddingAnEncoderAndAHead) {
  const Model model = model_of(bert_base_config());
  EXPECT_EQ(model.family, "bert");
  EXPECT_THAT(names_of(model), ElementsAre("embedding", "encoder", "language_model_head"));
  EXPECT_EQ(model.max_sequence_length, 512);
  EXPECT_THAT(model.warnings, IsEmpty());
  const auto& embedding = shape_of<EmbeddingBlock>(model, "embedding");
  EXPECT_EQ(embedding.vocab_size, 30522);
  EXPECT_EQ(embedding.max_position_embeddings, 512);
  EXPECT_EQ(embedding.type_vocab_size, 2);
  EXPECT_TRUE(embedding.layer_norm);
  EXPECT_TRUE(embedding.dropout);
  const auto& encoder = shape_of<TransformerBlock>(model, "encoder");
  EXPECT_EQ(encoder.num_hidden_layers, 12);
  EXPECT_EQ(encoder.attention.num_attention_heads, 12);
  EXPECT_EQ(encoder.hidden_size, 768);
  EXPECT_EQ(encoder.feed_forward.intermediate_size, 3072);
  EXPECT_EQ(encoder.feed_forward.activation, Activation::gelu);
  EXPECT_FALSE(encoder.attention.causal);
  EXPECT_FALSE(encoder.cross_attention);
  EXPECT_FALSE(encoder.final_norm);
  const auto& head = shape_of<LanguageModelHeadBlock>(model, "language_model_head");
  EXPECT_TRUE(head.tied_embedding);
  EXPECT_TRUE(head.bias);
  EXPECT_TRUE(head.transform);
  EXPECT_EQ(head.transform_activation, Activation::gelu);
}

TEST(Bert, ThePoolerReadsTheFirstTokenThroughATanh) {
  const Model model = model_of(bert_base_config(), Head::pooler);
  EXPECT_THAT(names_of(model), ElementsAre("embedding", "encoder", "pooler"));
  const auto& pooler = shape_of<DenseBlock>(model, "pooler");
  EXPECT_TRUE(pooler.first_token_only);
  EXPECT_EQ(pooler.activation, Activation::tanh);
}

TEST(Bert, TakesTheHeadFromTheArchitecture) {
  const auto names = [](const std::string& architecture) {
    return names_of(
        model_of(with(bert_base_config(), "architectures", "[\"" + architecture + "\"]")));
  };
  EXPECT_THAT(names("BertModel"), ElementsAre("embedding", "encoder", "pooler"));
  EXPECT_THAT(names("BertForMaskedLM"), ElementsAre("embedding", "encoder", "language_model_head"));
  EXPECT_THAT(names("BertLMHeadModel"), ElementsAre("embedding", "encoder", "language_model_head"));
}

TEST(Bert, AnUnknownHeadIsRefusedUnlessOneIsChosen) {
  const Config config = with(bert_base_config(), "architectures", "[\"BertForQuestionAnswering\"]");
  const auto model = read_config(config);
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(model.error().where.path, "architectures");
  EXPECT_THAT(model.error().message, HasSubstr("BertForQuestionAnswering"));
  EXPECT_THAT(model.error().remedy, HasSubstr("--head"));
  EXPECT_EQ(parameters(config, Head::none), 108'891'648);
}

// BertForMaskedLM without tying keeps a second V x D matrix: 30522 * 768 = 23,440,896.
TEST(Bert, AnUntiedHeadHasAMatrixOfItsOwn) {
  const Config config = with(bert_base_config(), "tie_word_embeddings", "false");
  EXPECT_EQ(parameters(config), 109'514'298 + 23'440'896);
  EXPECT_FALSE(
      shape_of<LanguageModelHeadBlock>(model_of(config), "language_model_head").tied_embedding);
}

// The defaults are those of transformers' BertConfig, which happen to be bert-base-uncased.
TEST(Bert, TakesTheDocumentedDefaultsAndSaysSo) {
  const Model model = model_of({{"model_type", "\"bert\""}});
  EXPECT_EQ(count_all_parameters(model).value(), 109'482'240);
  EXPECT_EQ(shape_of<TransformerBlock>(model, "encoder").attention.num_attention_heads, 12);
  EXPECT_TRUE(shape_of<TransformerBlock>(model, "encoder").attention.dropout);
  EXPECT_TRUE(shape_of<TransformerBlock>(model, "encoder").hidden_dropout);
  EXPECT_THAT(warned(model),
              UnorderedElementsAre(
                  "vocab_size", "hidden_size", "max_position_embeddings", "type_vocab_size",
                  "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
                  "attention_probs_dropout_prob", "hidden_dropout_prob", "architectures"));
  for (const Warning& warning : model.warnings) EXPECT_FALSE(warning.message.empty());
}

TEST(Bert, WarnsOfExactlyTheKeyThatIsAbsentOrNull) {
  for (const char* value : {"", "null"}) {
    EXPECT_THAT(warned(model_of(with(bert_base_config(), "vocab_size", value))),
                ElementsAre("vocab_size"));
    EXPECT_THAT(warned(model_of(with(bert_base_config(), "hidden_act", value))),
                ElementsAre("hidden_act"));
    EXPECT_THAT(warned(model_of(with(bert_base_config(), "architectures", value))),
                ElementsAre("architectures"));
  }
}

TEST(Bert, DropoutOfZeroIsNoDropout) {
  const Config config = with(with(bert_base_config(), "attention_probs_dropout_prob", "0.0"),
                             "hidden_dropout_prob", "0");
  const Model model = model_of(config);
  EXPECT_FALSE(shape_of<TransformerBlock>(model, "encoder").attention.dropout);
  EXPECT_FALSE(shape_of<TransformerBlock>(model, "encoder").hidden_dropout);
  EXPECT_FALSE(shape_of<EmbeddingBlock>(model, "embedding").dropout);
}

TEST(Bert, RefusesSizesThatCannotBe) {
  for (const char* key : {"vocab_size", "hidden_size", "max_position_embeddings", "type_vocab_size",
                          "num_hidden_layers", "num_attention_heads", "intermediate_size"}) {
    for (const char* value : {"0", "-12", "1099511627777", "9223372036854775808", "1e30", "12.5"}) {
      const Error error = error_of(bert_base_config(), key, value);
      EXPECT_EQ(error.kind, ErrorKind::value) << key << " " << value;
      EXPECT_EQ(error.where.file, "models/tiny/config.json");
      EXPECT_EQ(error.where.path, key);
      EXPECT_FALSE(error.remedy.empty());
    }
    for (const char* value : {"\"12\"", "true", "[12]", "{}"}) {
      EXPECT_EQ(error_of(bert_base_config(), key, value).kind, ErrorKind::schema) << value;
    }
  }
}

TEST(Bert, RefusesHeadsThatDoNotDivideTheWidth) {
  const Error error = error_of(bert_base_config(), "num_attention_heads", "10");
  EXPECT_EQ(error.kind, ErrorKind::value);
  EXPECT_EQ(error.where.path, "num_attention_heads");
  EXPECT_THAT(error.message, HasSubstr("10 heads do not divide hidden_size = 768"));
  EXPECT_EQ(error_of(bert_base_config(), "num_attention_heads", "1536").kind, ErrorKind::value);
}

TEST(Bert, RefusesAnUnknownActivationNamingTheKnownOnes) {
  const Error error = error_of(bert_base_config(), "hidden_act", "\"mish\"");
  EXPECT_EQ(error.kind, ErrorKind::unsupported);
  EXPECT_EQ(error.where.path, "hidden_act");
  EXPECT_THAT(error.message, HasSubstr("mish"));
  EXPECT_THAT(error.remedy, HasSubstr("gelu_new"));
}

TEST(Bert, RefusesProbabilitiesOutsideZeroToOne) {
  for (const char* key : {"hidden_dropout_prob", "attention_probs_dropout_prob"}) {
    for (const char* value : {"-0.1", "1.1", "10"}) {
      EXPECT_EQ(error_of(bert_base_config(), key, value).where.path, key);
    }
    EXPECT_EQ(error_of(bert_base_config(), key, "\"0.1\"").kind, ErrorKind::schema);
  }
}

TEST(Bert, RefusesCrossAttentionAndReadsADecoder) {
  EXPECT_EQ(error_of(bert_base_config(), "add_cross_attention", "true").kind,
            ErrorKind::unsupported);
  const Model decoder = model_of(with(bert_base_config(), "is_decoder", "true"));
  EXPECT_TRUE(shape_of<TransformerBlock>(decoder, "encoder").attention.causal);
}

TEST(Bert, ReportsACountBeyond64BitsAndTheBlockItIsIn) {
  // 4 D^2 with D = 2^31 is 2^64.
  const Error error =
      error_of(with(bert_base_config(), "num_attention_heads", "1"), "hidden_size", "2147483648");
  EXPECT_EQ(error.kind, ErrorKind::overflow);
  EXPECT_EQ(error.where.file, "models/tiny/config.json");
  EXPECT_EQ(error.where.path, "encoder");
}

TEST(Bert, IgnoresKeysThatChangeNoCount) {
  Config config = bert_base_config();
  config["transformers_version"] = "\"4.6.0.dev0\"";
  config["initializer_range"] = "0.02";
  config["gradient_checkpointing"] = "false";
  EXPECT_EQ(parameters(config), 109'514'298);
}

}  // namespace
}  // namespace joulecast
