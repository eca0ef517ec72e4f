// SPDX-License-Identifier: Apache-2.0
#include "documents/save.hpp"

#include <joulecast/report.hpp>
#include <joulecast/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace joulecast {
namespace {

using Json = nlohmann::ordered_json;

bool right_aligned(Unit unit) { return unit != Unit::none; }

// Width in characters, not bytes: names may hold UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

std::string pad(const std::string& text, std::size_t width, bool right) {
  const std::string space(width - std::min(width, width_of(text)), ' ');
  return right ? space + text : text + space;
}

std::vector<std::size_t> visible_columns(const Table& table) {
  std::vector<std::size_t> visible;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].title.empty()) visible.push_back(i);
  }
  return visible;
}

// --- text -------------------------------------------------------------------------------------

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Titles hold names from files as well.
std::string shown(std::string_view text) { return show(Datum(std::string(text)), Unit::none); }

std::string heading(std::string_view title, const RenderOptions& options) {
  const std::string text = shown(title);
  return options.colour ? fmt::format("\x1b[1m{}\x1b[0m\n", text) : fmt::format("{}\n", text);
}

void trim_right(std::string& line) {
  while (line.ends_with(' ')) line.pop_back();
}

// Lines are kept to this width where words allow it; tables of numbers may be wider.
constexpr std::size_t line_width = 100;
constexpr std::size_t least_text_width = 30;

// Splits at blanks so that each line fits the width, with the indent of the text before each; a
// longer word stands alone.
std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  const std::string indent(std::min(text.find_first_not_of(' '), text.size()), ' ');
  std::vector<std::string> lines;
  std::string line = indent;
  for (std::size_t start = indent.size(); start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    const bool first = line.size() == indent.size();
    if (!first && width_of(line) + 1 + width_of(word) > width) {
      lines.push_back(std::move(line));
      line = indent + word;
    } else {
      line += (first ? "" : " ") + word;
    }
    start = end + 1;
  }
  lines.push_back(std::move(line));
  return lines;
}

// Bytes of the longest start of the word that fits, cut behind '/', '-', '_' or ',' if it can be.
std::size_t fitting(std::string_view word, std::size_t width) {
  std::size_t end = 0;
  std::size_t behind_mark = 0;
  for (std::size_t characters = 0; end < word.size(); ++characters) {
    if (characters == width) break;
    const bool mark = std::string_view("/-_,").find(word[end]) != std::string_view::npos;
    ++end;
    while (end < word.size() && width_of(word.substr(end, 1)) == 0) ++end;
    if (mark) behind_mark = end;
  }
  return behind_mark > 0 ? behind_mark : end;
}

// For cells: also cuts words that are longer than the width, which would move what stands behind.
std::vector<std::string> wrap_cell(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  for (std::string& line : wrap(text, width)) {
    while (width_of(line) > width) {
      const std::size_t cut = fitting(line, std::max<std::size_t>(1, width));
      lines.push_back(line.substr(0, cut));
      line.erase(0, cut);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string text_of(const Fields& fields, const RenderOptions& options) {
  std::size_t width = 0;
  for (const Field& field : fields.fields) width = std::max(width, width_of(shown(field.title)));
  const std::size_t room = std::max(least_text_width, line_width - std::min(line_width, width + 4));
  std::string out;
  for (const Field& field : fields.fields) {
    if (field.title.empty()) continue;
    std::string title = shown(field.title);
    for (const std::string& part : wrap(show(field.value, field.unit), room)) {
      std::string line = fmt::format("  {}  {}", pad(title, width, false), part);
      trim_right(line);
      out += line + "\n";
      title.clear();
    }
  }
  return out.empty() ? out : (fields.title.empty() ? "" : heading(fields.title, options)) + out;
}

// Widths of the visible columns. Where the table is too wide, its widest texts give way.
std::vector<std::size_t> choose_widths(const Table& table,
                                       const std::vector<std::size_t>& visible) {
  std::vector<std::size_t> widths;
  std::size_t total = 0;
  for (const std::size_t i : visible) {
    std::size_t width = width_of(shown(table.columns[i].title));
    for (const auto& row : table.rows) {
      width = std::max(width, width_of(show(row[i], table.columns[i].unit)));
    }
    widths.push_back(width);
    total += width + 2;
  }
  while (total > line_width) {
    std::size_t widest = visible.size();
    for (std::size_t v = 0; v < visible.size(); ++v) {
      if (right_aligned(table.columns[visible[v]].unit) || widths[v] <= least_text_width) continue;
      if (widest == visible.size() || widths[v] > widths[widest]) widest = v;
    }
    if (widest == visible.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

std::string text_of(const Table& table, const RenderOptions& options) {
  if (!table.for_people || table.rows.empty()) return {};
  const std::vector<std::size_t> visible = visible_columns(table);
  const std::vector<std::size_t> widths = choose_widths(table, visible);
  // One row may take several lines where texts are wrapped.
  const auto lines_of = [&](const auto& cell) {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (std::size_t v = 0; v < visible.size(); ++v) {
      const bool text = !right_aligned(table.columns[visible[v]].unit);
      const std::string shown = cell(visible[v]);
      cells.push_back(text ? wrap_cell(shown, widths[v]) : std::vector<std::string>{shown});
      height = std::max(height, cells.back().size());
    }
    std::string out;
    for (std::size_t row = 0; row < height; ++row) {
      std::string line = "  ";
      for (std::size_t v = 0; v < visible.size(); ++v) {
        const std::string part = row < cells[v].size() ? cells[v][row] : std::string();
        line += pad(part, widths[v], right_aligned(table.columns[visible[v]].unit)) + "  ";
      }
      trim_right(line);
      out += line + "\n";
    }
    return out;
  };
  std::string out = table.title.empty() ? "" : heading(table.title, options);
  out += lines_of([&](std::size_t i) { return shown(table.columns[i].title); });
  for (const auto& row : table.rows) {
    out += lines_of([&](std::size_t i) { return show(row[i], table.columns[i].unit); });
  }
  return out;
}

// Lines of a paragraph stay lines (BibTeX); long ones are wrapped.
std::string text_of(const Paragraph& paragraph, const RenderOptions&) {
  std::string out;
  for (const std::string& line : split_lines(paragraph.text)) {
    for (const std::string& part : wrap(shown(line), line_width)) out += part + "\n";
  }
  return out;
}

std::string render_text(const Report& report, const RenderOptions& options) {
  std::string out = report.title.empty() ? "" : heading(report.title, options);
  for (const Section& section : report.sections) {
    const std::string part =
        std::visit([&](const auto& item) { return text_of(item, options); }, section);
    if (part.empty()) continue;
    if (!out.empty()) out += "\n";
    out += part;
  }
  return out;
}

// --- Markdown ---------------------------------------------------------------------------------

std::string escape_markdown(const std::string& raw) {
  std::string text = shown(raw);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|') text.insert(i++, 1, '\\');
  }
  return text;
}

std::string markdown_of(const Table& table) {
  if (!table.for_people || table.rows.empty()) return {};
  std::string out = table.title.empty() ? "" : fmt::format("## {}\n\n", shown(table.title));
  std::string rule;
  for (const std::size_t i : visible_columns(table)) {
    out += fmt::format("| {} ", escape_markdown(table.columns[i].title));
    rule += right_aligned(table.columns[i].unit) ? "| ---: " : "| --- ";
  }
  out += "|\n" + rule + "|\n";
  for (const auto& row : table.rows) {
    for (const std::size_t i : visible_columns(table)) {
      out += fmt::format("| {} ", escape_markdown(show(row[i], table.columns[i].unit)));
    }
    out += "|\n";
  }
  return out;
}

// Markdown tables have no indent: a part is named together with the whole it belongs to.
std::string full_title(const std::string& title, const std::string& whole) {
  const std::size_t indent = title.find_first_not_of(' ');
  if (indent == 0 || indent == std::string::npos || whole.empty()) return title;
  const std::string part = title.substr(indent);
  if (part.starts_with("90 %")) return fmt::format("{} of the {}", part, whole);
  for (const std::string_view start : {"in ", "that "}) {
    if (part.starts_with(start)) return fmt::format("{} {}", whole, part);
  }
  return fmt::format("{}: {}", part, whole);
}

std::string markdown_of(const Fields& fields) {
  Table table{.key = {},
              .title = fields.title,
              .columns = {{"what", "what", Unit::none}, {"value", "value", Unit::none}}};
  std::string whole;
  for (const Field& field : fields.fields) {
    if (field.title.empty()) continue;
    table.rows.push_back({full_title(field.title, whole), show(field.value, field.unit)});
    if (!field.title.starts_with(' ')) whole = field.title;
  }
  return markdown_of(table);
}

std::string markdown_of(const Paragraph& paragraph) {
  std::string out;
  for (const std::string& line : split_lines(paragraph.text)) out += shown(line) + "\n";
  return out;
}

std::string render_markdown(const Report& report) {
  std::string out = report.title.empty() ? "" : fmt::format("# {}\n", shown(report.title));
  for (const Section& section : report.sections) {
    const std::string part =
        std::visit([](const auto& item) { return markdown_of(item); }, section);
    if (part.empty()) continue;
    if (!out.empty()) out += "\n";
    out += part;
  }
  return out;
}

// --- CSV --------------------------------------------------------------------------------------

std::string csv_cell(const Datum& value) {
  if (std::holds_alternative<std::monostate>(value)) return {};
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  const std::string& text = std::get<std::string>(value);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) {
    quoted += character;
    if (character == '"') quoted += '"';
  }
  return quoted + "\"";
}

std::string render_csv(const Table& table) {
  std::string out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    out += (i == 0 ? "" : ",") + table.columns[i].key;
  }
  out += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : ",") + csv_cell(row[i]);
    out += "\n";
  }
  return out;
}

// --- JSON -------------------------------------------------------------------------------------

Json json_of(const Datum& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

void add_json(Json& out, const Fields& fields) {
  if (fields.key.empty()) return;
  Json object = Json::object();
  auto& members = object.get_ref<Json::object_t&>();
  // An ordered object looks keys up one by one, which takes too long for thousands of blocks.
  std::map<std::string_view, std::size_t> places;
  for (const Field& field : fields.fields) {
    const auto [place, added] = places.emplace(field.key, members.size());
    if (added) {
      members.emplace_back(field.key, json_of(field.value));
    } else {
      std::next(members.begin(), static_cast<std::ptrdiff_t>(place->second))->second =
          json_of(field.value);
    }
  }
  out[fields.key] = std::move(object);
}

void add_json(Json& out, const Table& table) {
  if (!table.for_machines) return;
  Json array = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i].key] = json_of(row[i]);
    array.push_back(std::move(object));
  }
  out[table.key] = std::move(array);
}

void add_json(Json& out, const Paragraph& paragraph) {
  if (!paragraph.key.empty()) out[paragraph.key] = paragraph.text;
}

std::string render_json(const Report& report) {
  Json out = Json::object();
  out["schema_version"] = 1;
  out["kind"] = report.kind;
  out["tool"] = {{"name", "joulecast"}, {"version", version()}, {"commit", commit()}};
  for (const Section& section : report.sections) {
    std::visit([&](const auto& item) { add_json(out, item); }, section);
  }
  // Names in the input may hold anything; bytes that are not UTF-8 become U+FFFD.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string render(const Report& report, Format format, const RenderOptions& options) {
  switch (format) {
    case Format::text: return render_text(report, options);
    case Format::markdown: return render_markdown(report);
    case Format::csv: return render_csv(report.csv);
    case Format::json: return render_json(report);
  }
  return {};
}

Result<void> save_report(const std::filesystem::path& path, const Report& report, Format format) {
  return save_text(path, render(report, format));
}

std::optional<Format> format_from(std::string_view name) {
  if (name == "text") return Format::text;
  if (name == "markdown") return Format::markdown;
  if (name == "csv") return Format::csv;
  if (name == "json") return Format::json;
  return std::nullopt;
}

}  // namespace joulecast
