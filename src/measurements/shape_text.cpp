// SPDX-License-Identifier: Apache-2.0
#include "measurements/shape_text.hpp"

#include "measurements/shape_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::int64_t maximum_size = std::int64_t{1} << 40;

std::unexpected<Error> fail(std::string message, std::string remedy = "") {
  return std::unexpected(Error{ErrorKind::value, std::move(message), {}, std::move(remedy)});
}

// Blanks separate the pairs, so a blank inside a path is written %20, as in a URL.
void append_encoded(std::string& out, std::string_view text) {
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte <= 0x20 || byte == '%' || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
    } else {
      out += character;
    }
  }
}

std::optional<std::string> decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2) return {};
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out), start_(out.size()) {}

  void size(std::string_view key, std::int64_t value) {
    begin(key);
    std::array<char, 24> digits{};
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out_.append(digits.data(), result.ptr);
  }
  void extent(std::string_view key, std::int64_t value) { size(key, value); }
  void optional_size(std::string_view key, std::int64_t value, std::int64_t usual) {
    if (value != usual) size(key, value);
  }
  void word(std::string_view key, const std::string& value) {
    begin(key);
    append_encoded(out_, value);
  }
  void word(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
  }
  void word(std::string_view key, MeasuredPrecision value) {
    begin(key);
    out_ += to_string(value);
  }
  void word(std::string_view key, Optimizer value) {
    begin(key);
    out_ += to_string(value);
  }

 private:
  void begin(std::string_view key) {
    if (out_.size() > start_) out_ += ' ';
    out_ += key;
    out_ += '=';
  }

  std::string& out_;
  std::size_t start_;
};

// Takes the pairs in order; the first that does not fit is kept as the error.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void size(std::string_view key, std::int64_t& value) { whole(key, value); }
  void extent(std::string_view key, std::int64_t& value) { whole(key, value); }
  void optional_size(std::string_view key, std::int64_t& value, std::int64_t usual) {
    value = usual;
    if (is_next(key)) whole(key, value);
  }
  void word(std::string_view key, std::string& value) {
    const auto text = take(key);
    if (!text) return;
    const auto decoded = decode(*text);
    if (!decoded || decoded->empty()) return refuse(key, "a text, with blanks written %20", *text);
    value = *decoded;
  }
  void word(std::string_view key, bool& value) {
    const auto text = take(key);
    if (!text) return;
    if (*text != "true" && *text != "false") return refuse(key, "true or false", *text);
    value = *text == "true";
  }
  void word(std::string_view key, MeasuredPrecision& value) {
    read_name(key, value, measured_precision_from, "a precision");
  }
  void word(std::string_view key, Optimizer& value) {
    read_name(key, value, optimizer_from, "an optimizer");
  }

  [[nodiscard]] std::optional<Error> finish() {
    if (!error_ && !rest_.empty()) {
      error_ = fail(fmt::format("the shape has more than it should: \"{}\"", rest_.substr(0, 40)))
                   .error();
    }
    return error_;
  }

 private:
  void whole(std::string_view key, std::int64_t& value) {
    const auto text = take(key);
    if (!text) return;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc{} || stop != end) refuse(key, "a whole number", *text);
  }

  template <class Value, class Find>
  void read_name(std::string_view key, Value& value, Find find, std::string_view wanted) {
    const auto text = take(key);
    if (!text) return;
    const std::optional<Value> found = find(*text);
    if (!found) return refuse(key, wanted, *text);
    value = *found;
  }

  [[nodiscard]] bool is_next(std::string_view key) const {
    return rest_.starts_with(key) && rest_.substr(key.size(), 1) == "=";
  }

  std::optional<std::string_view> take(std::string_view key) {
    if (error_) return {};
    const std::string_view pair = rest_.substr(0, rest_.find(' '));
    if (!is_next(key)) {
      error_ = fail(fmt::format("the shape lacks `{}=` where it belongs, before \"{}\"", key,
                                rest_.substr(0, 40)),
                    "keys of a shape stand in a fixed order, one blank between the pairs")
                   .error();
      return {};
    }
    rest_.remove_prefix(std::min(rest_.size(), pair.size() + 1));
    return pair.substr(key.size() + 1);
  }

  void refuse(std::string_view key, std::string_view wanted, std::string_view got) {
    error_ =
        fail(fmt::format("the shape's {} must be {}, is \"{}\"", key, wanted, got.substr(0, 40)))
            .error();
  }

  std::string_view rest_;
  std::optional<Error> error_{};
};

class Checker {
 public:
  void size(std::string_view key, std::int64_t value) { range(key, value, 1); }
  void extent(std::string_view key, std::int64_t value) { range(key, value, 0); }
  void optional_size(std::string_view key, std::int64_t value, std::int64_t) {
    range(key, value, 1);
  }
  template <class Value>
  void word(std::string_view, const Value&) {}

  std::optional<Error> error{};

 private:
  void range(std::string_view key, std::int64_t value, std::int64_t least) {
    if (error || (value >= least && value <= maximum_size)) return;
    error = fail(fmt::format("{} must be a whole number from {} to {}, is {}", key, least,
                             maximum_size, value))
                .error();
  }
};

Result<void> check_relations(const AttentionShape& shape) {
  if (shape.heads % shape.kv_heads != 0) {
    return fail(
        fmt::format("{} heads cannot share {} key-value heads", shape.heads, shape.kv_heads));
  }
  if (shape.causal && shape.kv_sequence < shape.sequence) {
    return fail("a causal attention has at least as many keys as queries");
  }
  return {};
}

Result<void> check_relations(const MoeShape& shape) {
  if (shape.top_k > shape.num_experts) {
    return fail(fmt::format("{} of {} experts cannot be chosen", shape.top_k, shape.num_experts));
  }
  return {};
}

Result<void> check_relations(const ConvolutionShape& shape) {
  if (shape.kernel > std::min(shape.height, shape.width) + 2 * shape.padding) {
    return fail("the kernel is larger than the padded input");
  }
  if (shape.in_channels % shape.groups != 0 || shape.out_channels % shape.groups != 0) {
    return fail("the groups do not divide the channels");
  }
  return {};
}

template <class Shape>
Result<void> check_relations(const Shape&) {
  return {};
}

template <std::size_t Index = 0>
MeasuredShape make_shape(std::size_t index) {
  if constexpr (Index < std::variant_size_v<MeasuredShape>) {
    if (index == Index) return std::variant_alternative_t<Index, MeasuredShape>{};
    return make_shape<Index + 1>(index);
  }
  std::unreachable();
}

}  // namespace

void append_shape(std::string& out, const MeasuredShape& shape) {
  Writer writer(out);
  std::visit([&](const auto& one) { visit_keys(one, writer); }, shape);
}

std::string describe(const MeasuredShape& shape) {
  std::string text;
  append_shape(text, shape);
  return text;
}

Result<void> check_shape(const MeasuredShape& shape) {
  Checker checker;
  std::visit([&](const auto& one) { visit_keys(one, checker); }, shape);
  if (checker.error) return std::unexpected(*checker.error);
  return std::visit([](const auto& one) { return check_relations(one); }, shape);
}

Result<MeasuredShape> parse_shape(ShapeKind kind, std::string_view text) {
  MeasuredShape shape = make_shape(static_cast<std::size_t>(kind));
  Reader reader(text);
  std::visit([&](auto& one) { visit_keys(one, reader); }, shape);
  if (const auto error = reader.finish()) return std::unexpected(*error);
  if (auto checked = check_shape(shape); !checked) return std::unexpected(checked.error());
  return shape;
}

}  // namespace joulecast
