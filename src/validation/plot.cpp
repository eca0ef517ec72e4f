// SPDX-License-Identifier: Apache-2.0
// The laws as a picture. Blue and vermilion are those of Okabe & Ito, "Color Universal Design"
// (2008), which the colour-blind can tell apart; where points lie on each other, their transparency
// adds up to density.
#include "documents/save.hpp"
#include "validation/log_axis.hpp"

#include <joulecast/validation.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Pixels.
constexpr double picture_width = 980.0;
constexpr double header_height = 64.0;
constexpr double group_height = 396.0;
constexpr double plot_top = 50.0;  // below the top of the group
constexpr double plot_height = 290.0;
constexpr double left_start = 84.0;
constexpr double left_width = 420.0;
constexpr double right_start = 640.0;
constexpr double right_width = plot_height;  // the diagonal rises by 45 degrees

constexpr const char* measured_colour = "#0072B2";
constexpr const char* predicted_colour = "#D55E00";
constexpr const char* band_colour = "#999999";

// Names come from files; XML has no place for control characters.
std::string escape(std::string_view text) {
  std::string out;
  for (const char character : text) {
    switch (character) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        out += static_cast<unsigned char>(character) < 0x20U || character == 0x7f ? '?' : character;
    }
  }
  return out;
}

// Where one curve or cloud stands: its axes, whose ends are pixels.
struct Frame {
  LogAxis x;
  LogAxis y;
};

struct Point {
  double x = 0.0;
  double y = 0.0;
};

class Drawing {
 public:
  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }

  void label(Point at, std::string_view attributes, std::string_view content) {
    add("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", at.x, at.y, attributes, content);
  }

  void points(std::string_view name, const char* colour, const Frame& frame,
              const std::vector<Point>& values) {
    // Few points must be seen, many must not cover each other.
    const double radius = values.size() > 300 ? 1.5 : 2.8;
    const double opacity = values.size() > 300 ? 0.25 : 0.6;
    add("<g class=\"{}\" fill=\"{}\" fill-opacity=\"{}\">\n", name, colour, opacity);
    for (const Point& value : values) {
      add("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>\n", frame.x.at(value.x),
          frame.y.at(value.y), radius);
    }
    add("</g>\n");
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string power_of_ten(int decade) {
  if (decade == 0) return "1";
  return fmt::format("10<tspan dy=\"-4\" font-size=\"8\">{}</tspan>", decade);
}

using TickLabel = std::string (*)(int decade);

// 2 to 9 times a power of ten, where the decades are wide enough to need them.
std::vector<double> small_ticks(const LogAxis& axis) {
  constexpr int most_decades = 3;
  std::vector<double> places;
  if (axis.last_decade - axis.first_decade > most_decades) return places;
  for (int decade = axis.first_decade; decade < axis.last_decade; ++decade) {
    for (int digit = 2; digit <= 9; ++digit)
      places.push_back(axis.at(digit * std::pow(10.0, decade)));
  }
  return places;
}

void draw_small_ticks(Drawing& drawing, const Frame& frame) {
  drawing.add("<g class=\"ticks\" stroke=\"#444444\">\n");
  for (const double x : small_ticks(frame.x)) {
    drawing.add("<path d=\"M{:.1f} {:.1f}v-4\"/>\n", x, frame.y.start);
  }
  for (const double y : small_ticks(frame.y)) {
    drawing.add("<path d=\"M{:.1f} {:.1f}h4\"/>\n", frame.x.start, y);
  }
  drawing.add("</g>\n");
}

// Frame, ticks at decades, and lines between them where there is room.
void draw_axes(Drawing& drawing, const Frame& frame, TickLabel x_label, TickLabel y_label) {
  const auto& [x, y] = frame;
  drawing.add("<g stroke=\"#dddddd\" stroke-width=\"1\">\n");
  for (int decade = x.first_decade; decade <= x.last_decade; ++decade) {
    drawing.add("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/>\n", x.at(std::pow(10.0, decade)), y.start,
                y.end);
  }
  for (int decade = y.first_decade; decade <= y.last_decade; ++decade) {
    drawing.add("<path d=\"M{0:.1f} {1:.1f}H{2:.1f}\"/>\n", x.start, y.at(std::pow(10.0, decade)),
                x.end);
  }
  drawing.add(
      "</g>\n<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
      "fill=\"none\" stroke=\"#444444\"/>\n",
      x.start, y.end, x.end - x.start, y.start - y.end);
  draw_small_ticks(drawing, frame);
  constexpr std::size_t most_across = 7;
  constexpr std::size_t most_up = 8;
  for (const int decade : x.labelled_decades(most_across)) {
    drawing.label({x.at(std::pow(10.0, decade)), y.start + 16.0}, " text-anchor=\"middle\"",
                  x_label(decade));
  }
  for (const int decade : y.labelled_decades(most_up)) {
    drawing.label({x.start - 6.0, y.at(std::pow(10.0, decade)) + 4.0}, " text-anchor=\"end\"",
                  y_label(decade));
  }
}

void draw_axis_titles(Drawing& drawing, const Frame& frame, std::string_view across,
                      std::string_view up) {
  drawing.label({(frame.x.start + frame.x.end) / 2.0, frame.y.start + 36.0},
                " text-anchor=\"middle\"", across);
  const double x = frame.x.start - 56.0;
  const double y = (frame.y.start + frame.y.end) / 2.0;
  drawing.label(
      {x, y}, fmt::format(" text-anchor=\"middle\" transform=\"rotate(-90 {:.1f} {:.1f})\"", x, y),
      up);
}

// splitmix64, as a hash of the place: Steele, Lea & Flood 2014, DOI 10.1145/2714064.2660195.
std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

// One of each run of rows, its place in the run by hash: sweeps repeat their sizes, and every n-th
// row of one may be of one size.
std::vector<const ValidationRow*> thin(const std::vector<const ValidationRow*>& rows) {
  if (rows.size() <= maximum_plotted_rows) return rows;
  std::vector<const ValidationRow*> kept;
  for (std::size_t i = 0; i < maximum_plotted_rows; ++i) {
    const std::size_t begin = i * rows.size() / maximum_plotted_rows;
    const std::size_t end = (i + 1) * rows.size() / maximum_plotted_rows;
    kept.push_back(rows[begin + mix(i) % (end - begin)]);
  }
  return kept;
}

struct Cloud {
  std::vector<Point> measured;   // work and efficiency
  std::vector<Point> predicted;  // the same by the law
  std::vector<Point> times;      // measured and predicted
  std::vector<Point> energies;   // the same, of steps and runs whose energy was measured
  bool counts_flops = true;      // otherwise bytes over the bandwidth
};

bool is_of_steps(const ValidationSubject& subject) {
  return subject.operation == step_operation || subject.operation == run_operation;
}

Cloud make_cloud(const ValidationSubject& subject, const std::vector<const ValidationRow*>& rows) {
  Cloud cloud;
  for (const ValidationRow* row : rows) {
    cloud.times.push_back({row->row->duration.value(), row->predicted_duration.value()});
  }
  if (is_of_steps(subject)) {
    for (const ValidationRow* row : rows) {
      if (!row->measured_power || !row->predicted_power) continue;
      cloud.energies.push_back({(*row->measured_power * row->row->duration).value(),
                                (*row->predicted_power * row->predicted_duration).value()});
    }
    return cloud;
  }
  cloud.counts_flops = rows.front()->work.flops.value() > 0.0;
  const double rate = cloud.counts_flops ? subject.facts->peak_flops_per_second
                                         : subject.facts->bandwidth_bytes_per_second;
  for (const ValidationRow* row : rows) {
    const double size = cloud.counts_flops ? row->work.flops.value() : row->work.bytes.value();
    const double measured = row->row->duration.value();
    const double predicted = row->predicted_duration.value();
    cloud.measured.push_back({size, size / (measured * rate)});
    cloud.predicted.push_back({size, size / (predicted * rate)});
  }
  return cloud;
}

void draw_efficiency(Drawing& drawing, const Cloud& cloud, double top) {
  Extent sizes;
  Extent shares;
  for (const std::vector<Point>* points : {&cloud.measured, &cloud.predicted}) {
    for (const Point& point : *points) {
      sizes.include(point.x);
      shares.include(point.y);
    }
  }
  const Frame frame{cover(sizes, left_start, left_start + left_width),
                    cover(shares, top + plot_height, top)};
  draw_axes(drawing, frame, power_of_ten, power_of_ten);
  draw_axis_titles(drawing, frame,
                   cloud.counts_flops ? "FLOPs of one execution" : "bytes of one execution",
                   cloud.counts_flops ? "HEF, share of the peak" : "share of the bandwidth");
  drawing.points("measured", measured_colour, frame, cloud.measured);
  drawing.points("law", predicted_colour, frame, cloud.predicted);
}

// The diagonal, and between half and double of the measured time.
void draw_band(Drawing& drawing, const Frame& frame) {
  const double x0 = frame.x.start;
  const double x1 = frame.x.end;
  const double y0 = frame.y.start;
  const double y1 = frame.y.end;
  const double d = std::log10(2.0) / (frame.x.last_decade - frame.x.first_decade) * (x1 - x0);
  drawing.add(
      "<path class=\"band\" fill=\"{}\" fill-opacity=\"0.2\" d=\"M{:.1f} {:.1f}L{:.1f} "
      "{:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\"/>\n",
      band_colour, x0, y0, x0, y0 - d, x1 - d, y1, x1, y1, x1, y1 + d, x0 + d, y0);
  drawing.add("<path class=\"diagonal\" stroke=\"#222222\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n",
              x0, y0, x1, y1);
}

struct Comparison {
  const char* name;
  const char* across;
  const char* up;
  TickLabel label;
  double start;  // of the square, in pixels
};

// Predicted over measured values.
void draw_comparison(Drawing& drawing, const Comparison& comparison,
                     const std::vector<Point>& points, double top) {
  if (points.empty()) return;
  Extent values;
  for (const Point& point : points) {
    values.include(point.x);
    values.include(point.y);
  }
  const Frame frame{cover(values, comparison.start, comparison.start + right_width),
                    cover(values, top + plot_height, top)};
  draw_axes(drawing, frame, comparison.label, comparison.label);
  draw_axis_titles(drawing, frame, comparison.across, comparison.up);
  draw_band(drawing, frame);
  drawing.points(comparison.name, measured_colour, frame, points);
}

// "0.0412 out of sample, 0.0398 in sample": mean relative errors of the quantity.
std::string list_errors(const Validation& validation, const ValidationSubject& subject,
                        ValidatedQuantity quantity) {
  std::string text;
  for (const ValidationGroup& group : validation.groups) {
    if (std::tie(group.device, group.operation, group.precision) !=
            std::tie(subject.device, subject.operation, subject.precision) ||
        group.quantity != quantity || group.regime != Regime::all) {
      continue;
    }
    const bool seen = group.set == ValidationSet::in_sample;
    if (!seen && group.set != ValidationSet::out_of_sample) continue;
    text += fmt::format("{}{:.4f} {} ({} rows)", text.empty() ? "" : ", ", group.metrics.mape,
                        seen ? "in sample" : "out of sample", group.metrics.count);
  }
  return text;
}

void draw_group_title(Drawing& drawing, const Validation& validation,
                      const ValidationSubject& subject, std::size_t drawn, double top) {
  drawing.label({left_start, top + 20.0}, " font-size=\"14\" font-weight=\"bold\"",
                escape(fmt::format("{}, {}, {}", subject.operation, to_string(subject.precision),
                                   subject.device)));
  std::string errors = list_errors(validation, subject, ValidatedQuantity::duration);
  if (is_of_steps(subject)) {
    const std::string energies = list_errors(validation, subject, ValidatedQuantity::energy);
    errors = fmt::format("time {}{}{}", errors, energies.empty() ? "" : "; energy ", energies);
  }
  drawing.label({left_start, top + 38.0}, "",
                escape(fmt::format("mean |predicted - measured| / measured: {}; {} rows drawn",
                                   errors, drawn)));
}

void draw_legend(Drawing& drawing, bool has_laws) {
  const double y = 50.0;
  const auto entry = [&](double x, const char* colour, std::string_view name) {
    drawing.add("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"10\" height=\"10\" fill=\"{}\"/>\n", x,
                y - 9.0, colour);
    drawing.label({x + 16.0, y}, "", name);
  };
  entry(left_start, measured_colour, "measured");
  if (has_laws) entry(left_start + 110.0, predicted_colour, "by the law, for the same shapes");
  entry(right_start, band_colour, "within a factor of two; line: equal");
}

// The places of those with most rows, in the order of the subjects.
std::vector<std::size_t> choose_subjects(
    const std::vector<std::vector<const ValidationRow*>>& rows) {
  std::vector<std::size_t> places(rows.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::erase_if(places, [&](std::size_t place) { return rows[place].empty(); });
  std::ranges::stable_sort(places, std::ranges::greater{},
                           [&](std::size_t place) { return rows[place].size(); });
  if (places.size() > maximum_plotted_subjects) places.resize(maximum_plotted_subjects);
  std::ranges::sort(places);
  return places;
}

std::string caption(std::size_t shown, std::size_t all, bool has_laws) {
  if (all == 0) return "No measurement has a prediction.";
  const char* const title =
      has_laws ? "Laws against measurements" : "Predictions against measured steps";
  if (shown == all) return title;
  return fmt::format("{}: {} of {} groups, the {} with the fewest measurements left out", title,
                     shown, all, all - shown);
}

}  // namespace

std::string plot_validation(const Validation& validation) {
  std::vector<std::vector<const ValidationRow*>> rows(validation.subjects.size());
  for (const ValidationRow& row : validation.rows) rows[row.subject].push_back(&row);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (repeats_steps(validation, validation.subjects[i])) rows[i].clear();
  }
  const std::vector<std::size_t> chosen = choose_subjects(rows);
  const auto all = static_cast<std::size_t>(
      std::ranges::count_if(rows, [](const auto& own) { return !own.empty(); }));
  const double height = header_height + group_height * static_cast<double>(chosen.size());
  const bool has_laws = std::ranges::any_of(
      chosen, [&](std::size_t place) { return !is_of_steps(validation.subjects[place]); });
  const std::string title = caption(chosen.size(), all, has_laws);
  Drawing drawing;
  drawing.add(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "role=\"img\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"11\" fill=\"#222222\">\n<title>{2}</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      picture_width, height, title);
  drawing.label({left_start, 26.0}, " font-size=\"16\"", title);
  if (!chosen.empty()) draw_legend(drawing, has_laws);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const ValidationSubject& subject = validation.subjects[chosen[i]];
    const double top = header_height + group_height * static_cast<double>(i);
    const auto drawn = thin(rows[chosen[i]]);
    const Cloud cloud = make_cloud(subject, drawn);
    draw_group_title(drawing, validation, subject, drawn.size(), top);
    if (is_of_steps(subject)) {
      draw_comparison(
          drawing,
          {"energies", "measured energy, J", "predicted energy, J", power_of_ten, left_start},
          cloud.energies, top + plot_top);
    } else {
      draw_efficiency(drawing, cloud, top + plot_top);
    }
    draw_comparison(drawing, {"times", "measured time", "predicted time", time_label, right_start},
                    cloud.times, top + plot_top);
  }
  drawing.add("</svg>\n");
  return drawing.take();
}

Result<void> save_validation_plot(const std::filesystem::path& path, const Validation& validation) {
  return save_text(path, plot_validation(validation));
}

}  // namespace joulecast
