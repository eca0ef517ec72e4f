// SPDX-License-Identifier: Apache-2.0
#include <joulecast/model.hpp>

#include <joulecast/suggest.hpp>
#include "documents/hash.hpp"
#include "readers/readers.hpp"

#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct Family {
  std::string_view model_type;  // config.json's key of that name
  Result<Model> (*read)(const Value&, const std::string&, Head);
};

constexpr std::array families = {Family{"albert", read_albert},
                                 Family{"bart", read_bart},
                                 Family{"bert", read_bert},
                                 Family{"bloom", read_bloom},
                                 Family{"clip", read_clip},
                                 Family{"convnext", read_convnext},
                                 Family{"deberta-v2", read_deberta_v2},
                                 Family{"deepseek_v2", read_deepseek_v2},
                                 Family{"deepseek_v3", read_deepseek_v3},
                                 Family{"deit", read_deit},
                                 Family{"distilbert", read_distilbert},
                                 Family{"electra", read_electra},
                                 Family{"falcon", read_falcon},
                                 Family{"gemma", read_gemma},
                                 Family{"gemma2", read_gemma2},
                                 Family{"gemma3", read_gemma3_multimodal},
                                 Family{"gemma3_text", read_gemma3},
                                 Family{"gpt2", read_gpt2},
                                 Family{"gpt_neo", read_gpt_neo},
                                 Family{"gpt_neox", read_gpt_neox},
                                 Family{"llama", read_llama},
                                 Family{"mamba", read_mamba},
                                 Family{"mistral", read_mistral},
                                 Family{"mixtral", read_mixtral},
                                 Family{"mpt", read_mpt},
                                 Family{"olmo", read_olmo},
                                 Family{"olmo2", read_olmo2},
                                 Family{"opt", read_opt},
                                 Family{"phi3", read_phi3},
                                 Family{"qwen2", read_qwen2},
                                 Family{"qwen2_moe", read_qwen2_moe},
                                 Family{"qwen3", read_qwen3},
                                 Family{"qwen3_moe", read_qwen3_moe},
                                 Family{"resnet", read_resnet},
                                 Family{"roberta", read_roberta},
                                 Family{"starcoder2", read_starcoder2},
                                 Family{"swin", read_swin},
                                 Family{"t5", read_t5},
                                 Family{"vit", read_vit},
                                 Family{"whisper", read_whisper}};

Result<Model> read_huggingface(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  const std::string type = reader.text("model_type");
  if (reader.error()) {
    Error error = *reader.error();
    error.remedy = "give a Hugging Face config.json with its \"model_type\"";
    return std::unexpected(error);
  }
  std::vector<std::string> known;
  for (const Family& family : families) {
    if (family.model_type == type) return family.read(config, file, head);
    known.emplace_back(family.model_type);
  }
  const std::string hint = did_you_mean(type, known);
  reader.fail("model_type", fmt::format("unknown model family \"{}\"", type.substr(0, 60)),
              fmt::format("{}{}known families: {}; or describe the model in a TOML file", hint,
                          hint.empty() ? "" : " ", fmt::join(known, ", ")),
              ErrorKind::unsupported);
  return std::unexpected(*reader.error());
}

// "configs/bert-base-uncased/config.json" is best called by its folder, other files by their stem.
std::string name_from(const std::filesystem::path& path) {
  const std::string folder = path.parent_path().filename().string();
  const bool named = !folder.empty() && folder != "." && folder != "..";
  return path.filename() == "config.json" && named ? folder : path.stem().string();
}

}  // namespace

Result<Model> parse_model(std::string_view text, const std::string& file,
                          const ReadModelOptions& options) {
  const std::filesystem::path path(file);
  const bool toml = path.extension() == ".toml";
  if (!toml && path.extension() != ".json") {
    return std::unexpected(Error{ErrorKind::unsupported, "neither a .json nor a .toml file",
                                 Location{.file = file},
                                 "give a Hugging Face config.json or a model file in TOML"});
  }
  auto document = toml ? parse_toml(text, file) : parse_json(text, file);
  if (!document) return std::unexpected(document.error());
  if (toml && options.head != Head::from_config) {
    return std::unexpected(Error{ErrorKind::usage, "a hand-written model states its own head",
                                 Location{.file = file, .path = "--head"},
                                 "leave --head out, and add or drop blocks in the file"});
  }
  auto model =
      toml ? read_model_toml(*document, file) : read_huggingface(*document, file, options.head);
  if (!model) return model;
  if (model->name.empty()) model->name = name_from(path);
  model->file = file;
  model->sha256 = sha256(text);
  return model;
}

Result<Model> read_model(const std::filesystem::path& path, const ReadModelOptions& options) {
  std::error_code ignored;
  const std::filesystem::path file =
      std::filesystem::is_directory(path, ignored) ? path / "config.json" : path;
  auto text = read_text_file(file);
  if (!text) {
    Error error = text.error();
    if (error.kind == ErrorKind::not_found) {
      error.remedy =
          "give the path of a Hugging Face config.json, of a folder that holds one, or "
          "of a model file in TOML";
    }
    return std::unexpected(error);
  }
  return parse_model(*text, file.string(), options);
}

}  // namespace joulecast
