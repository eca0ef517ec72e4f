// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which models are known by name? Those whose configurations are part of the library, and those
// whose configurations lie in the local cache of the Hugging Face Hub. Nothing is fetched.

#include <joulecast/model.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

struct ShippedModel {
  std::string id{};      // e.g. "llama-3.1-405b"
  std::string family{};  // model_type
  std::int64_t parameters = 0;
  std::int64_t active_parameters = 0;  // that one token passes through
  // What the authors say; mostly rounded, sometimes of another head.
  std::optional<double> published_parameters{};
  std::string source{};     // of the configuration
  bool unverified = false;  // not read in a public file
  std::string notes{};
};

// In the alphabet's order of their ids.
std::vector<ShippedModel> shipped_models();
std::vector<std::string> shipped_model_ids();

struct FindModelOptions {
  Head head = Head::from_config;
  // Folder with models--ORG--NAME/snapshots/REVISION/config.json; empty: not looked into.
  std::filesystem::path hub_cache{};
};

// A path as `read_model` takes it, else a shipped id, else an id of the Hub ("ORG/NAME" or "NAME")
// that the cache holds. Errors: those of `read_model`; not_found, with the nearest ids.
Result<Model> find_model(const std::string& name, const FindModelOptions& options = {});

}  // namespace joulecast
