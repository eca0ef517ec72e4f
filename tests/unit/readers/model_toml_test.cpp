// SPDX-License-Identifier: Apache-2.0
#include "configs.hpp"
#include "toml_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// One sound block of each kind, each on lines of its own.
const std::string embedding = "[[block]]\nkind = 'embedding'\nvocab_size = 100\nhidden_size = 24\n";
const std::string encoder =
    "[[block]]\nkind = 'transformer_encoder'\nnum_hidden_layers = 2\nhidden_size = 24\n"
    "num_attention_heads = 4\nintermediate_size = 96\n";
const std::string decoder =
    "[[block]]\nkind = 'transformer_decoder'\nnum_hidden_layers = 2\nhidden_size = 24\n"
    "num_attention_heads = 4\nintermediate_size = 96\n";
const std::string lstm =
    "[[block]]\nkind = 'lstm'\nnum_layers = 2\ninput_size = 24\nhidden_size = 12\n";
const std::string gru =
    "[[block]]\nkind = 'gru'\nnum_layers = 1\ninput_size = 24\nhidden_size = 24\n";
const std::string dense = "[[block]]\nkind = 'dense'\ninput_size = 24\noutput_size = 24\n";
const std::string head =
    "[[block]]\nkind = 'language_model_head'\nhidden_size = 24\nvocab_size = 100\n";

TEST(ModelToml, ReadsABlockOfEachKindInOrder) {
  const Model model = toml_model("name = 'all'\n" + embedding + encoder + decoder + gru + dense +
                                 lstm + "bidirectional = true\n" + head);
  EXPECT_EQ(model.name, "all");
  EXPECT_EQ(model.family, "custom");
  EXPECT_THAT(names_of(model),
              ElementsAre("embedding", "transformer_encoder", "transformer_decoder", "gru", "dense",
                          "lstm", "language_model_head"));
  EXPECT_FALSE(shape_of<TransformerBlock>(model, "transformer_encoder").attention.causal);
  EXPECT_TRUE(shape_of<TransformerBlock>(model, "transformer_decoder").attention.causal);
  EXPECT_EQ(shape_of<RecurrentBlock>(model, "gru").cell, RecurrentBlock::Cell::gru);
  EXPECT_EQ(shape_of<RecurrentBlock>(model, "lstm").cell, RecurrentBlock::Cell::lstm);
  EXPECT_TRUE(shape_of<RecurrentBlock>(model, "lstm").bidirectional);
  EXPECT_TRUE(model.warnings.empty());
  EXPECT_EQ(model.max_sequence_length, std::nullopt);
}

TEST(ModelToml, EveryOptionIsOffUnlessStated) {
  const Model plain = toml_model(embedding + encoder + dense + head);
  EXPECT_FALSE(shape_of<EmbeddingBlock>(plain, "embedding").layer_norm);
  EXPECT_FALSE(shape_of<EmbeddingBlock>(plain, "embedding").dropout);
  EXPECT_EQ(shape_of<EmbeddingBlock>(plain, "embedding").max_position_embeddings, 0);
  const auto& layers = shape_of<TransformerBlock>(plain, "transformer_encoder");
  EXPECT_EQ(layers.feed_forward.activation, Activation::gelu);
  EXPECT_FALSE(layers.final_norm || layers.attention.dropout || layers.hidden_dropout);
  EXPECT_EQ(shape_of<DenseBlock>(plain, "dense").activation, std::nullopt);
  EXPECT_FALSE(shape_of<DenseBlock>(plain, "dense").first_token_only);
  const auto& scores = shape_of<LanguageModelHeadBlock>(plain, "language_model_head");
  EXPECT_FALSE(scores.tied_embedding || scores.bias || scores.transform);
}

TEST(ModelToml, ReadsEveryOption) {
  const Model model = toml_model(
      embedding + "max_position_embeddings = 64\ntype_vocab_size = 2\nlayer_norm = true\n" +
      "dropout = 0.1\n" + decoder + "activation = 'relu'\nfinal_layer_norm = true\n" +
      "cross_attention = true\nattention_dropout = 0.1\nhidden_dropout = 0.2\n" + dense +
      "activation = 'tanh'\nfirst_token_only = true\n" + head +
      "tied_embedding = true\nbias = true\ntransform = true\ntransform_activation = 'silu'\n");
  EXPECT_EQ(model.max_sequence_length, 64);
  const auto& tokens = shape_of<EmbeddingBlock>(model, "embedding");
  EXPECT_EQ(tokens.type_vocab_size, 2);
  EXPECT_TRUE(tokens.layer_norm && tokens.dropout);
  const auto& layers = shape_of<TransformerBlock>(model, "transformer_decoder");
  EXPECT_EQ(layers.feed_forward.activation, Activation::relu);
  EXPECT_TRUE(layers.final_norm && layers.cross_attention && layers.attention.dropout &&
              layers.hidden_dropout);
  EXPECT_EQ(shape_of<DenseBlock>(model, "dense").activation, Activation::tanh);
  EXPECT_TRUE(shape_of<DenseBlock>(model, "dense").first_token_only);
  const auto& scores = shape_of<LanguageModelHeadBlock>(model, "language_model_head");
  EXPECT_TRUE(scores.tied_embedding && scores.bias && scores.transform);
  EXPECT_EQ(scores.transform_activation, Activation::silu);
}

TEST(ModelToml, NamesUnnamedBlocksApart) {
  EXPECT_THAT(names_of(toml_model(dense + dense + "name = 'mine'\n" + dense)),
              ElementsAre("dense", "mine", "dense_3"));
  const Error error = toml_error(dense + "name = 'a'\n" + dense + "name = 'a'\n");
  EXPECT_EQ(error.where.path, "block[1].name");
  EXPECT_THAT(error.message, HasSubstr("two blocks are named \"a\""));
}

TEST(ModelToml, IsNamedByItsFileIfItStatesNoName) { EXPECT_EQ(toml_model(dense).name, "m"); }

TEST(ModelToml, TheFewestPositionsBoundTheSequence) {
  const std::string few = "max_position_embeddings = 128\n";
  const std::string many = "max_position_embeddings = 512\n";
  EXPECT_EQ(toml_model(embedding + few + encoder + embedding + many).max_sequence_length, 128);
  EXPECT_EQ(toml_model(embedding + many + encoder + embedding + few).max_sequence_length, 128);
}

// Every key that each kind cannot do without, and what is wrong where it is 0.
TEST(ModelToml, RequiresEverySizeOfEveryKind) {
  struct Kind {
    std::string text;
    std::vector<std::string> sizes;
  };
  for (const Kind& kind :
       {Kind{embedding, {"vocab_size", "hidden_size"}},
        Kind{encoder,
             {"num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size"}},
        Kind{decoder,
             {"num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size"}},
        Kind{lstm, {"num_layers", "input_size", "hidden_size"}},
        Kind{gru, {"num_layers", "input_size", "hidden_size"}},
        Kind{dense, {"input_size", "output_size"}}, Kind{head, {"hidden_size", "vocab_size"}}}) {
    for (const std::string& key : kind.sizes) {
      const std::size_t begin = kind.text.find("\n" + key + " = ") + 1;
      const std::size_t end = kind.text.find('\n', begin);
      const auto with_line = [&](const std::string& line) {
        return kind.text.substr(0, begin) + line + kind.text.substr(end + 1);
      };
      const Error missing = toml_error(with_line(""));
      EXPECT_EQ(missing.kind, ErrorKind::schema) << key;
      EXPECT_EQ(missing.where.path, "block[0]." + key);
      EXPECT_EQ(missing.where.line, 1);
      for (const char* value : {"0", "-1", "1.5", "1099511627777"}) {
        const Error error = toml_error(with_line(key + " = " + value + "\n"));
        EXPECT_EQ(error.kind, ErrorKind::value) << key << " " << value;
        EXPECT_EQ(error.where.path, "block[0]." + key);
        EXPECT_GT(error.where.line, 1);
        EXPECT_GT(error.where.column, 1);
      }
      EXPECT_EQ(toml_error(with_line(key + " = 'x'\n")).kind, ErrorKind::schema) << key;
    }
  }
}

TEST(ModelToml, OptionsOfOneKindAreUnknownToAnother) {
  EXPECT_EQ(toml_error(encoder + "cross_attention = true\n").where.path,
            "block[0].cross_attention");
  EXPECT_EQ(toml_error(dense + "tied_embedding = true\n").kind, ErrorKind::schema);
  EXPECT_EQ(toml_error(lstm + "activation = 'tanh'\n").kind, ErrorKind::schema);
  EXPECT_EQ(toml_error(embedding + "num_hidden_layers = 2\n").kind, ErrorKind::schema);
}

TEST(ModelToml, AnUnknownKeyIsLocatedAndItsNearestKnownNamed) {
  const Error error = toml_error(dense + "first_tokenonly = true\n");
  EXPECT_EQ(error.where, (Location{"m.toml", "block[0].first_tokenonly", 5, 19}));
  EXPECT_THAT(error.remedy, HasSubstr("did you mean first_token_only?"));
  const Error top = toml_error("nmae = 'x'\n" + dense);
  EXPECT_EQ(top.where.path, "nmae");
  EXPECT_EQ(top.where.line, 1);
  EXPECT_THAT(top.remedy, HasSubstr("did you mean name?"));
}

TEST(ModelToml, RefusesWrongKindsTypesAndProbabilities) {
  EXPECT_EQ(toml_error("[[block]]\nhidden_size = 1\n").where.path, "block[0].kind");
  const Error kind = toml_error("[[block]]\nkind = 'transformer_encodr'\n");
  EXPECT_EQ(kind.kind, ErrorKind::value);
  EXPECT_EQ(kind.where.line, 2);
  EXPECT_THAT(kind.remedy, HasSubstr("transformer_encoder"));
  EXPECT_EQ(toml_error("name = 3\n" + dense).where.path, "name");
  EXPECT_EQ(toml_error(dense + "name = 3\n").where.path, "block[0].name");
  EXPECT_EQ(toml_error(embedding + "layer_norm = 1\n").kind, ErrorKind::schema);
  EXPECT_EQ(toml_error(embedding + "dropout = 1.1\n").kind, ErrorKind::value);
  EXPECT_EQ(toml_error(encoder + "attention_dropout = nan\n").kind, ErrorKind::value);
  EXPECT_EQ(toml_error(encoder + "hidden_dropout = -0.1\n").kind, ErrorKind::value);
  EXPECT_EQ(toml_error(encoder + "activation = 'mish'\n").kind, ErrorKind::unsupported);
  EXPECT_EQ(toml_error(embedding + "max_position_embeddings = 0\n").kind, ErrorKind::value);
  EXPECT_EQ(toml_error(embedding + "type_vocab_size = -2\n").kind, ErrorKind::value);
}

TEST(ModelToml, RefusesHeadsThatDoNotDivideTheWidth) {
  const Error error = toml_error(
      "[[block]]\nkind = 'transformer_encoder'\nnum_hidden_layers = 1\nhidden_size = 500\n"
      "num_attention_heads = 24\nintermediate_size = 1\n");
  EXPECT_EQ(error.where, (Location{"m.toml", "block[0].num_attention_heads", 5, 23}));
  EXPECT_THAT(error.message, HasSubstr("24 heads do not divide hidden_size = 500"));
}

TEST(ModelToml, NeighboursMustAgreeOnTheirWidth) {
  const std::string narrow =
      "[[block]]\nkind = 'dense'\nname = 'narrow'\ninput_size = 24\noutput_size = 23\n";
  for (const std::string& next : {encoder, decoder, lstm, gru, dense, head}) {
    const Error error = toml_error(narrow + next);
    EXPECT_EQ(error.kind, ErrorKind::value) << next;
    EXPECT_THAT(error.where.path, HasSubstr("block[1]."));
    EXPECT_THAT(error.message, HasSubstr("\"narrow\" before it gives 23"));
  }
  // Token numbers fit whatever comes before.
  EXPECT_EQ(toml_model(narrow + embedding).blocks.size(), 2U);
  // One direction of 12 does not make 24, two do.
  EXPECT_THAT(toml_error(lstm + dense).message, HasSubstr("gives 12"));
  EXPECT_EQ(toml_model(lstm + "bidirectional = true\n" + dense).blocks.size(), 2U);
  // Scores are as wide as the vocabulary.
  EXPECT_THAT(toml_error(head + dense).message, HasSubstr("gives 100"));
}

TEST(ModelToml, ATiedHeadNeedsAnEmbeddingOfItsShapeBeforeIt) {
  const std::string tied = head + "tied_embedding = true\n";
  EXPECT_EQ(count_all_parameters(toml_model(embedding + tied)).value(), 100 * 24);
  EXPECT_EQ(toml_error(tied).where.path, "block[0].tied_embedding");
  EXPECT_EQ(toml_error(tied + embedding).where.path, "block[0].tied_embedding");
  const std::string other = "[[block]]\nkind = 'embedding'\nvocab_size = 99\nhidden_size = 24\n";
  EXPECT_EQ(toml_error(other + tied).where.path, "block[1].tied_embedding");
}

TEST(ModelToml, NeedsAtLeastOneBlock) {
  for (const char* text : {"", "name = 'x'\n", "block = []\n"}) {
    const Error error = toml_error(text);
    EXPECT_EQ(error.kind, ErrorKind::schema) << text;
    EXPECT_EQ(error.where.path, "block");
    EXPECT_THAT(error.message, HasSubstr("no blocks"));
  }
  EXPECT_EQ(toml_error("block = 3\n").kind, ErrorKind::schema);
  EXPECT_EQ(toml_error("block = [3]\n").where.path, "block[0]");
  EXPECT_EQ(toml_error("[block]\nkind = 'dense'\n").kind, ErrorKind::schema);
}

}  // namespace
}  // namespace joulecast
