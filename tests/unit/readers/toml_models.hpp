// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hand-written models from their text.

#include <joulecast/model.hpp>

#include <gtest/gtest.h>
#include <string_view>

namespace joulecast {

inline Model toml_model(std::string_view text) {
  auto model = parse_model(text, "m.toml");
  EXPECT_TRUE(model.has_value()) << describe(model.error());
  return model.value_or(Model{});
}

inline Error toml_error(std::string_view text) {
  const auto model = parse_model(text, "m.toml");
  EXPECT_FALSE(model.has_value()) << text;
  return model ? Error{} : model.error();
}

}  // namespace joulecast
