// SPDX-License-Identifier: Apache-2.0
#include "reproduction/author_tables.hpp"

#include "synthetic_tables.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::HasSubstr;

TEST(AuthorTables, ReadWhatTheReproductionUses) {
  const SyntheticTables files;
  const auto tables = read_author_tables(files.directory()).value();
  EXPECT_EQ(tables.transformer_efficiency.size(), 2U);
  EXPECT_EQ(tables.transformer_efficiency[0].operation, "QKV Projections");
  EXPECT_EQ(tables.rnn_efficiency[0].operation, "Activations");
  ASSERT_EQ(tables.transformer_steps.size(), 3U);
  EXPECT_EQ(tables.transformer_steps[0].index, 7);
  EXPECT_EQ(tables.transformer_steps[0].operations[3].duration, 4.0);
  EXPECT_EQ(tables.transformer_steps[0].all_but_index, tables.transformer_steps[1].all_but_index);
  EXPECT_NE(tables.transformer_steps[0].all_but_index, tables.transformer_steps[2].all_but_index);
  EXPECT_EQ(tables.rnn_steps[0].durations[2], 3.0);
}

TEST(AuthorTables, AnAbsentFileIsNamed) {
  const SyntheticTables files;
  std::filesystem::remove(files.directory() + "/dataForLstmHEF.csv");
  const auto tables = read_author_tables(files.directory());
  ASSERT_FALSE(tables.has_value());
  EXPECT_EQ(tables.error().kind, ErrorKind::not_found);
  EXPECT_THAT(tables.error().where.file, HasSubstr("dataForLstmHEF.csv"));
}

TEST(AuthorTables, AnAbsentColumnIsNamed) {
  const SyntheticTables files;
  files.write("dataForLstmHEF.csv", "source,component,FLOPs,elapsed_time_sec,peak\nx,y,1,1,1\n");
  const auto tables = read_author_tables(files.directory());
  ASSERT_FALSE(tables.has_value());
  EXPECT_THAT(tables.error().message, HasSubstr("no column \"HEF\""));
}

TEST(AuthorTables, AFieldThatCannotBeIsLocated) {
  const SyntheticTables files;
  files.write("dataForLstmHEF.csv",
              "source,component,FLOPs,HEF,elapsed_time_sec,peak\nx,y,1,1,1,1\nx,y,0,1,1,1\n");
  const auto error = read_author_tables(files.directory()).error();
  EXPECT_EQ(error.where.line, 3);
  EXPECT_EQ(error.where.path, "FLOPs");
}

TEST(AuthorTables, ATableWithoutRowsIsAnError) {
  const SyntheticTables files;
  files.write("dataForLstmHEF.csv", "source,component,FLOPs,HEF,elapsed_time_sec,peak\n");
  EXPECT_THAT(read_author_tables(files.directory()).error().message, HasSubstr("no rows"));
}

}  // namespace
}  // namespace joulecast
