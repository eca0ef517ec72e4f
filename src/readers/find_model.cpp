// SPDX-License-Identifier: Apache-2.0
#include <joulecast/shipped_model.hpp>

#include <joulecast/suggest.hpp>
#include "documents/embedded.hpp"
#include "documents/value.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::string_view shipped_folder = "models/";
constexpr std::string_view shipped_ending = ".json";

Result<Model> read_shipped(const std::string& id, Head head) {
  const std::string name = fmt::format("{}{}{}", shipped_folder, id, shipped_ending);
  auto model = parse_model(embedded_file(name), name, {.head = head});
  if (model) model->file = "shipped";
  return model;
}

bool is_readable_path(const std::string& name) {
  std::error_code ignored;
  const std::filesystem::path path(name);
  const auto ending = path.extension();
  return ending == ".json" || ending == ".toml" || std::filesystem::exists(path, ignored);
}

// "meta-llama/Llama-3.1-8B" -> "models--meta-llama--Llama-3.1-8B".
std::string cache_folder(std::string_view id) {
  std::string folder = "models--";
  for (const char letter : id) {
    if (letter == '/') {
      folder += "--";
    } else {
      folder += letter;
    }
  }
  return folder;
}

// The revision that the branch main stands at, else the last by name that holds a configuration.
std::optional<std::filesystem::path> cached_config(const std::filesystem::path& model) {
  std::error_code problem;
  if (const auto main = read_text_file(model / "refs" / "main"); main) {
    const std::string revision = main->substr(0, main->find_first_of(" \n\r/"));
    auto config = model / "snapshots" / revision / "config.json";
    if (!revision.empty() && std::filesystem::exists(config, problem)) return config;
  }
  std::vector<std::filesystem::path> configs;
  std::filesystem::directory_iterator entry(model / "snapshots", problem);
  for (; !problem && entry != end(entry); entry.increment(problem)) {
    auto config = entry->path() / "config.json";
    std::error_code ignored;
    if (std::filesystem::exists(config, ignored)) configs.push_back(std::move(config));
  }
  if (configs.empty()) return std::nullopt;
  return *std::ranges::max_element(configs);
}

// Ids of the cache's models, in the alphabet's order.
std::vector<std::string> cached_ids(const std::filesystem::path& cache) {
  constexpr std::string_view prefix = "models--";
  std::vector<std::string> ids;
  std::error_code problem;
  if (cache.empty()) return ids;
  std::filesystem::directory_iterator entry(cache, problem);
  for (; !problem && entry != end(entry); entry.increment(problem)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !cached_config(entry->path())) continue;
    name.erase(0, prefix.size());
    const std::size_t bar = name.find("--");
    if (bar != name.npos) name.replace(bar, 2, "/");
    ids.push_back(std::move(name));
  }
  std::ranges::sort(ids);
  return ids;
}

Error unknown_model(const std::string& name, const std::vector<std::string>& cached) {
  std::vector<std::string> known = shipped_model_ids();
  known.insert(known.end(), cached.begin(), cached.end());
  const std::string hint = did_you_mean(name, known);
  return {
      ErrorKind::not_found, "no such file, and no model of that name is known",
      Location{.file = name},
      fmt::format("{}{}give the path of a Hugging Face config.json, of a folder that holds one, "
                  "or of a model file in TOML; `joulecast models` lists the shipped ids",
                  hint, hint.empty() ? "" : " ")};
}

}  // namespace

std::vector<std::string> shipped_model_ids() {
  std::vector<std::string> ids;
  for (const EmbeddedFile& file : embedded_files()) {
    std::string_view name = file.name;
    if (!name.starts_with(shipped_folder) || !name.ends_with(shipped_ending)) continue;
    name.remove_prefix(shipped_folder.size());
    name.remove_suffix(shipped_ending.size());
    ids.emplace_back(name);
  }
  std::ranges::sort(ids);
  return ids;
}

std::vector<ShippedModel> shipped_models() {
  const auto document = parse_toml(embedded_file("models/sources.toml"), "sources.toml");
  assert(document && "the shipped table of sources is valid TOML");
  ObjectReader sources(*document, "sources.toml");
  std::vector<ShippedModel> models;
  for (const std::string& id : shipped_model_ids()) {
    const auto model = read_shipped(id, Head::from_config);
    auto source = sources.child(id);
    assert(model && source && "a shipped model is sound and has its source");
    models.push_back(
        {.id = id,
         .family = model->family,
         .parameters = count_all_parameters(*model).value_or(0),
         .active_parameters = count_active_parameters(*model).value_or(0),
         .published_parameters = source->optional_number("published_parameters", {1.0, 1e15}),
         .source = source->text("source"),
         .unverified = source->text("verified") != "read",
         .notes = source->text_or("notes", "")});
    assert(!source->error() && "sources follow their schema");
  }
  return models;
}

Result<Model> find_model(const std::string& name, const FindModelOptions& options) {
  if (is_readable_path(name)) return read_model(name, {.head = options.head});
  const std::vector<std::string> shipped = shipped_model_ids();
  if (std::ranges::binary_search(shipped, name)) return read_shipped(name, options.head);
  const std::vector<std::string> cached = cached_ids(options.hub_cache);
  const auto found = std::ranges::find_if(cached, [&](const std::string& id) {
    return id == name || std::string_view(id).substr(id.find('/') + 1) == name;
  });
  if (found == cached.end()) return std::unexpected(unknown_model(name, cached));
  const auto config = cached_config(options.hub_cache / cache_folder(*found));
  if (!config) return std::unexpected(unknown_model(name, cached));
  auto model = read_model(*config, {.head = options.head});
  // The folder around the file is named after a revision.
  if (model) model->name = *found;
  return model;
}

}  // namespace joulecast
