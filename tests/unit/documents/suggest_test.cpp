// SPDX-License-Identifier: Apache-2.0
#include <joulecast/suggest.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FoldName, KeepsLettersAndDigitsInLowerCase) {
  EXPECT_EQ(fold_name("A100 80GB-PCIe"), "a10080gbpcie");
  EXPECT_EQ(fold_name("a100_80gb.pcie"), "a10080gbpcie");
  EXPECT_EQ(fold_name(" -_./() "), "");
  EXPECT_EQ(fold_name(""), "");
  // Bytes above 127 are no letters of this alphabet, and no undefined behaviour either.
  EXPECT_EQ(fold_name("R\xC3\xA9gion \xFF"), "rgion");
}

// From "hidensize": two letters are missing in "hiddensizes", one in "hiddensize", one differs in
// "hidensise"; "vocabsize" is five away. Equals keep the order they are known in.
TEST(NearestNames, AreOrderedByEditDistance) {
  const std::vector<std::string> known{"hidden_sizes", "hidden_size", "hiden_sise", "vocab_size"};
  EXPECT_THAT(nearest_names("hidensize", known),
              ElementsAre("hidden_size", "hiden_sise", "hidden_sizes"));
}

TEST(NearestNames, CountsReplacedMissingAndAdditionalLetters) {
  const std::vector<std::string> known{"dense"};
  EXPECT_THAT(nearest_names("dense", known), ElementsAre("dense"));
  EXPECT_THAT(nearest_names("denze", known), ElementsAre("dense"));
  EXPECT_THAT(nearest_names("dnse", known), ElementsAre("dense"));
  EXPECT_THAT(nearest_names("densse", known), ElementsAre("dense"));
  EXPECT_THAT(nearest_names("dnese", known), ElementsAre("dense"));
  EXPECT_THAT(nearest_names("dne", known), ElementsAre("dense"));
  EXPECT_THAT(nearest_names("lstm", known), IsEmpty());
}

TEST(NearestNames, LongerNamesMayDifferInAThirdOfTheirLetters) {
  const std::vector<std::string> known{"abcdefghijkl"};
  EXPECT_THAT(nearest_names("abcdefgh1234", known), ElementsAre("abcdefghijkl"));
  EXPECT_THAT(nearest_names("abcdefg12345", known), IsEmpty());
}

TEST(NearestNames, APartOfANameFindsIt) {
  const std::vector<std::string> known{"a100-40gb-pcie", "a100-80gb-pcie", "h100-80gb-sxm"};
  EXPECT_THAT(nearest_names("A100", known), ElementsAre("a100-40gb-pcie", "a100-80gb-pcie"));
  EXPECT_THAT(nearest_names("80gb", known), ElementsAre("a100-80gb-pcie", "h100-80gb-sxm"));
}

TEST(NearestNames, ReturnsAtMostAsManyAsAskedFor) {
  const std::vector<std::string> known{"aaa1", "aaa2", "aaa3", "aaa4"};
  EXPECT_EQ(nearest_names("aaa", known).size(), 3U);
  EXPECT_THAT(nearest_names("aaa", known, 1), ElementsAre("aaa1"));
  EXPECT_THAT(nearest_names("aaa", known, 0), IsEmpty());
}

TEST(NearestNames, NamesThatShareNoLetterDoNotResemble) {
  const std::vector<std::string> known{"t4", "l4", "p4"};
  EXPECT_THAT(nearest_names("", known), IsEmpty());
  EXPECT_THAT(nearest_names("--", known), IsEmpty());
  EXPECT_THAT(nearest_names("xy", known), IsEmpty());
  EXPECT_THAT(nearest_names("t5", known), ElementsAre("t4"));
}

TEST(NearestNames, HostileInputIsCheap) {
  const std::vector<std::string> known{"dense"};
  EXPECT_THAT(nearest_names(std::string(5'000'000, 'd'), known), IsEmpty());
  EXPECT_THAT(nearest_names("dense", {}), IsEmpty());
}

TEST(IsMisspelling, IsStricterThanASuggestion) {
  EXPECT_TRUE(is_misspelling("hiden_size", "hidden_size"));
  EXPECT_TRUE(is_misspelling("hidden_szie", "hidden_size"));
  EXPECT_TRUE(is_misspelling("n_layers", "n_layer"));
  EXPECT_FALSE(is_misspelling("hidden_size", "hidden_size"));
  EXPECT_FALSE(is_misspelling("d_ff", "d_kv"));
  EXPECT_FALSE(is_misspelling("output_size", "input_size"));
  EXPECT_FALSE(is_misspelling("encoder_layers", "decoder_layers"));
  EXPECT_FALSE(is_misspelling("num_hidden_groups", "num_hidden_layers"));
  EXPECT_FALSE(is_misspelling("flops_minimum", "flops_maximum"));
  EXPECT_FALSE(is_misspelling(std::string(5'000'000, 'd'), "hidden_size"));
}

TEST(DidYouMean, MakesAQuestionOfTheNames) {
  EXPECT_EQ(did_you_mean("lsmt", std::vector<std::string>{"lstm", "dense"}), "did you mean lstm?");
  EXPECT_EQ(did_you_mean("aa", std::vector<std::string>{"aa1", "aa2"}), "did you mean aa1 or aa2?");
  EXPECT_EQ(did_you_mean("aa", std::vector<std::string>{"aa1", "aa2", "aa3", "aa4"}),
            "did you mean aa1, aa2 or aa3?");
  EXPECT_EQ(did_you_mean("something else", std::vector<std::string>{"lstm"}), "");
}

}  // namespace
}  // namespace joulecast
