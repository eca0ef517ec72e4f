// SPDX-License-Identifier: Apache-2.0
// JSON through nlohmann's event parser: it is iterative, so that hostile nesting cannot exhaust
// the stack, and it shows every key, so that doubled ones can be refused.
#include "documents/value.hpp"

#include <nlohmann/json.hpp>

#include <limits>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::size_t maximum_depth = 64;

Location locate(std::string_view text, std::size_t byte, const std::string& file) {
  Location where{.file = file, .path = {}, .line = 1, .column = 1};
  for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    where.line = text[i] == '\n' ? where.line + 1 : where.line;
    where.column = text[i] == '\n' ? 1 : where.column + 1;
  }
  return where;
}

// nlohmann says "[...] parse error at line 1, column 3: syntax error while parsing value - CAUSE",
// where the cause repeats what was read, however long, or "[...] CAUSE".
std::string_view cause_of(std::string_view what) {
  constexpr std::size_t longest_cause = 160;
  for (const std::string_view mark : {std::string_view{" - "}, std::string_view{"] "}}) {
    const std::size_t found = what.find(mark);
    if (found == std::string_view::npos) continue;
    what.remove_prefix(found + mark.size());
    break;
  }
  return what.substr(0, longest_cause);
}

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool null() override { return add(Value{.data = nullptr}); }
  bool boolean(bool value) override { return add(Value{.data = value}); }
  bool number_integer(number_integer_t value) override { return add(Value{.data = value}); }
  bool number_unsigned(number_unsigned_t value) override {
    // Beyond 2^63 no size makes sense; kept as a double so that the range check names it.
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return add(Value{.data = static_cast<double>(value)});
    }
    return add(Value{.data = static_cast<std::int64_t>(value)});
  }
  bool number_float(number_float_t value, const string_t&) override {
    return add(Value{.data = value});
  }
  bool string(string_t& value) override { return add(Value{.data = std::move(value)}); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value{.data = Object{}}); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Value{.data = Array{}}); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Frame& frame = stack_.back();
    if (!frame.names.insert(name).second) {
      error_ = Error{ErrorKind::schema, fmt::format("the key \"{}\" stands twice", name),
                     Location{.file = file_, .path = path_of(name)}, "keep one of them"};
      return false;
    }
    frame.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& problem) override {
    const std::string_view what = problem.what();
    const bool out_of_range = what.find("out_of_range") != std::string_view::npos;
    // The position counts the end of the text as one more byte.
    const bool cut_off = position > text_.size();
    error_ =
        Error{out_of_range ? ErrorKind::value : ErrorKind::syntax,
              fmt::format("not valid JSON: {}", cause_of(what)), locate(text_, position, file_),
              cut_off ? "the file seems cut off; fetch it again" : "mend the file at this place"};
    return false;
  }

  Result<Value> take() && {
    if (error_) return std::unexpected(*error_);
    return std::move(root_);
  }

 private:
  struct Frame {
    Value value;
    std::string key;
    std::set<std::string, std::less<>> names;
  };

  // "layers[2].hidden_size" for a key of the innermost object.
  std::string path_of(std::string_view name) const {
    std::string path;
    for (std::size_t i = 0; i + 1 < stack_.size(); ++i) {
      if (const auto* array = std::get_if<Array>(&stack_[i].value.data)) {
        path += fmt::format("[{}]", array->size());
      } else {
        path += fmt::format("{}{}", path.empty() ? "" : ".", stack_[i].key);
      }
    }
    return fmt::format("{}{}{}", path, path.empty() ? "" : ".", name);
  }

  bool add(Value value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = stack_.back();
    if (auto* object = std::get_if<Object>(&frame.value.data)) {
      object->emplace_back(std::move(frame.key), std::move(value));
    } else {
      std::get<Array>(frame.value.data).push_back(std::move(value));
    }
    return true;
  }

  bool open(Value value) {
    if (stack_.size() >= maximum_depth) {
      error_ = Error{ErrorKind::syntax, fmt::format("nested deeper than {} levels", maximum_depth),
                     Location{.file = file_}, "no model or law file nests so deep"};
      return false;
    }
    stack_.push_back(Frame{.value = std::move(value), .key = {}, .names = {}});
    return true;
  }

  bool close() {
    Value value = std::move(stack_.back().value);
    stack_.pop_back();
    return add(std::move(value));
  }

  std::string_view text_;
  const std::string& file_;
  std::vector<Frame> stack_;
  Value root_;
  std::optional<Error> error_;
};

}  // namespace

Result<Value> parse_json(std::string_view text, const std::string& file) {
  // The parser takes a zero byte for the end and would pass over whatever follows.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return std::unexpected(Error{ErrorKind::syntax, "not valid JSON: a zero byte",
                                 locate(text, zero + 1, file), "mend the file at this place"});
  }
  Builder builder(text, file);
  const bool parsed = nlohmann::json::sax_parse(text, &builder);
  Result<Value> value = std::move(builder).take();
  if (!value) return value;
  assert(parsed);
  if (!parsed || !std::holds_alternative<Object>(value->data)) {
    return std::unexpected(Error{ErrorKind::schema, "the top level is not an object",
                                 Location{.file = file, .path = {}, .line = 1, .column = 1},
                                 "give a JSON object { ... }"});
  }
  return value;
}

}  // namespace joulecast
