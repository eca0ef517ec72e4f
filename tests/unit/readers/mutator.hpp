// SPDX-License-Identifier: Apache-2.0
#pragma once

// Breaks a text a little, always in the same way for the same seed: as a careless editor, a cut-off
// download or an attacker would.

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace joulecast {

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : state_(seed) {}

  // One to three mutations, of bytes or of tokens.
  std::string mutate(std::string text) {
    for (std::size_t left = 1 + below(3); left > 0 && !text.empty(); --left) {
      text = below(3) == 0 ? mutate_bytes(std::move(text)) : mutate_tokens(std::move(text));
    }
    return text;
  }

 private:
  // Numbers and words that readers trip over.
  static constexpr std::string_view tokens[] = {
      // clang-format off
      "0", "1", "-1", "2", "7", "12", "13", "768", "1024", "65536", "3221225472", "1099511627776",
      "1099511627777", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
      "18446744073709551616", "1e999", "-0.0", "0.5", "1.0", "768.0", "nan", "inf", "NaN", "true",
      "false", "null", "\"\"", "\"gelu\"", "\"mish\"", "[]", "{}", "[1]", "\"\xFF\"",
      "\"\\ud800\"", "'x'",
      // clang-format on
  };

  // splitmix64: Steele, Lea & Flood 2014, DOI 10.1145/2660193.2660195.
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

  std::string mutate_bytes(std::string text) {
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(text.size() - at, 24));
    const auto byte = static_cast<char>(static_cast<unsigned char>(below(256)));
    switch (below(7)) {
      case 0: text[at] = byte; break;
      case 1: text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(7))); break;
      case 2: text.insert(at, 1, byte); break;
      case 3: text.erase(at, length); break;
      case 4: text.resize(at); break;
      case 5: text.insert(at, text.substr(at, length)); break;
      default: text.insert(at, 1, "{}[]\",:=.#'\n-"[below(13)]); break;
    }
    return text;
  }

  static bool in_token(char raw) {
    const auto character = static_cast<unsigned char>(raw);
    return std::isalnum(character) != 0 || raw == '.' || raw == '-' || raw == '_' || raw == '"' ||
           raw == '\'';
  }

  // The token around a place; empty between tokens.
  static std::pair<std::size_t, std::size_t> token_around(const std::string& text, std::size_t at) {
    std::size_t begin = at;
    while (begin > 0 && in_token(text[begin - 1])) --begin;
    std::size_t end = at;
    while (end < text.size() && in_token(text[end])) ++end;
    return {begin, end - begin};
  }

  // A whole line with its end.
  std::pair<std::size_t, std::size_t> some_line(const std::string& text) {
    const std::size_t at = below(text.size());
    const std::size_t before = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    return {begin, end - begin};
  }

  std::string mutate_tokens(std::string text) {
    const auto [token, token_length] = token_around(text, below(text.size()));
    const auto [other, other_length] = token_around(text, below(text.size()));
    const std::size_t digit = text.find_first_of("0123456789", below(text.size()));
    const auto [number, number_length] = token_around(text, std::min(digit, text.size()));
    const auto [line, line_length] = some_line(text);
    switch (below(6)) {
      case 0: text.replace(token, token_length, tokens[below(std::size(tokens))]); break;
      case 1: text.replace(number, number_length, tokens[below(std::size(tokens))]); break;
      case 2: text.replace(token, token_length, text.substr(other, other_length)); break;
      case 3: text.erase(line, line_length); break;
      case 4: text.insert(line, text.substr(line, line_length)); break;
      default: {
        const std::string moved = text.substr(line, line_length);
        text.erase(line, line_length);
        text.insert(text.empty() ? 0 : some_line(text).first, moved);
      }
    }
    return text;
  }

  std::uint64_t state_;
};

}  // namespace joulecast
