// SPDX-License-Identifier: Apache-2.0
#include "validation/steps.hpp"

#include "validation/metrics.hpp"
#include "validation/regimes.hpp"

#include <joulecast/prediction.hpp>

#include <algorithm>
#include <expected>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

// What a prediction says of the measured phase of one step.
struct StepAnswer {
  MeasuredWork work{};
  Seconds duration{};
  std::optional<IntervalFactors> duration_interval{};
  Joules energy{};  // of all devices
  std::optional<IntervalFactors> energy_interval{};
  bool in_sample = false;
};

struct Refusal {
  NotCompared reason = NotCompared::refused;
  std::string detail{};

  auto operator<=>(const Refusal&) const = default;
};

using Answer = std::expected<StepAnswer, Refusal>;

bool belongs_to(Phase phase, MeasuredPhase measured) {
  switch (measured) {
    case MeasuredPhase::forward: return phase == Phase::forward;
    case MeasuredPhase::backward_input: return phase == Phase::backward_input;
    case MeasuredPhase::backward_weight: return phase == Phase::backward_weight;
    case MeasuredPhase::backward:
      return phase == Phase::backward_input || phase == Phase::backward_weight;
    case MeasuredPhase::optimizer_step: return phase == Phase::optimizer_step;
    case MeasuredPhase::step: return true;
  }
  return false;
}

template <class Q>
std::optional<IntervalFactors> factors_of(const std::optional<Interval<Q>>& interval, Q value) {
  if (!interval || value.value() <= 0.0) return std::nullopt;
  return IntervalFactors{interval->lower / value, interval->upper / value};
}

// A part of the step has the interval of the whole: its errors are those of the same laws.
StepAnswer answer_for(const Prediction& prediction, MeasuredPhase phase) {
  const StepPrediction& step = prediction.step;
  StepAnswer answer;
  answer.duration_interval = factors_of(step.duration_interval, step.duration);
  answer.energy_interval = factors_of(step.energy_interval, step.energy.value_or(Joules{}));
  const auto devices = static_cast<double>(prediction.setup.num_gpus);
  for (const OperationPrediction& entry : prediction.operations) {
    if (!belongs_to(entry.operation.phase, phase)) continue;
    const auto count = static_cast<double>(entry.operation.count);
    answer.work.flops += Flops{static_cast<double>(entry.operation.flops) * count};
    answer.work.bytes += Bytes{static_cast<double>(entry.operation.bytes_moved) * count};
    answer.duration += entry.total_duration;
    answer.energy += entry.total_energy.value_or(Joules{}) * devices;
  }
  if (phase == MeasuredPhase::step) {
    answer.duration = step.duration;
    answer.energy = step.energy.value_or(Joules{}) * devices;
  }
  return answer;
}

class StepJudge {
 public:
  StepJudge(const MeasuredSteps& steps, const LawSet& laws, const ValidationOptions& options,
            Validation& validation)
      : steps_(steps), laws_(laws), options_(options), validation_(validation) {}

  Result<void> judge() {
    const std::size_t place = add_subject(step_operation, steps_.rows.size());
    std::vector<ValidationRow> rows;
    for (const Measurement* row : steps_.rows) {
      const auto answer = answer_of(*row);
      if (!answer) return std::unexpected(answer.error());
      auto judged = judge_row(*row, *answer, place);
      if (judged) rows.push_back(*judged);
    }
    for (const LawReference& law : used_laws_) validation_.subjects[place].laws.push_back(law);
    set_regimes(rows);
    validation_.rows.insert(validation_.rows.end(), rows.begin(), rows.end());
    add_runs(rows);
    for (const auto& [what, count] : gaps_) {
      const auto& [quantity, refusal] = what;
      validation_.gaps.push_back({steps_.device.id, steps_.precision, std::string(step_operation),
                                  quantity, refusal.reason, count, refusal.detail});
    }
    return {};
  }

 private:
  std::size_t add_subject(std::string_view operation, std::size_t count) {
    ValidationSubject subject{.device = steps_.device.id,
                              .precision = steps_.precision,
                              .operation = std::string(operation),
                              .measurements = static_cast<std::int64_t>(count)};
    if (auto facts = facts_of(steps_.device, steps_.precision)) subject.facts = std::move(*facts);
    validation_.subjects.push_back(std::move(subject));
    return validation_.subjects.size() - 1;
  }

  // The same question is asked once: segments of one run differ in what was measured alone.
  Result<Answer> answer_of(const Measurement& row) {
    StepShape shape = std::get<StepShape>(row.shape);
    shape.steps = 1;
    const std::string key = fmt::format("{} {}", to_string(row.phase), describe(shape));
    if (const auto known = answers_.find(key); known != answers_.end()) return known->second;
    const auto answer = predict_row(row, shape);
    if (answer) answers_.emplace(key, *answer);
    return answer;
  }

  Result<Answer> predict_row(const Measurement& row, const StepShape& shape) {
    if (!options_.find_model) return Answer(std::unexpected(Refusal{NotCompared::no_law, {}}));
    auto model = options_.find_model(row);
    if (!model) return std::unexpected(model.error());
    PredictionRequest request;
    request.model = std::move(*model);
    request.device = steps_.device;
    request.setup = {.batch_size = shape.batch_size,
                     .sequence_length = shape.sequence_length,
                     .precision = peak_precision(row.precision),
                     .optimizer = shape.optimizer,
                     .num_gpus = shape.num_gpus};
    request.laws = laws_;
    request.shipped_too = true;
    request.law_family = options_.law_family;
    const auto prediction = predict(request);
    if (!prediction) {
      return Answer(std::unexpected(Refusal{NotCompared::refused, prediction.error().message}));
    }
    StepAnswer answer = answer_for(*prediction, row.phase);
    for (const Law& law : prediction->laws) {
      answer.in_sample = answer.in_sample || options_.in_sample(law, row);
      if (seen_laws_.insert(law.id).second) used_laws_.push_back(refer_to(law));
    }
    return Answer(answer);
  }

  std::optional<ValidationRow> judge_row(const Measurement& row, const Answer& answer,
                                         std::size_t place) {
    const bool has_power = row.power.has_value() || row.energy.has_value();
    const auto leave_out = [&](ValidatedQuantity quantity, Refusal why) {
      ++gaps_[{quantity, std::move(why)}];
    };
    Refusal why;
    if (!answer) {
      why = answer.error();
    } else if (!is_plausible(row.duration.value()) || !is_plausible(answer->duration.value())) {
      why = {NotCompared::implausible, {}};
    } else {
      ValidationRow judged;
      judged.row = &row;
      judged.subject = place;
      judged.work = answer->work;
      judged.predicted_duration = answer->duration;
      judged.duration_interval = answer->duration_interval;
      judged.in_sample = answer->in_sample;
      judged.doubted_duration = row.marks.doubts_duration();
      if (has_power) {
        if (const auto reason = judge_power(row, *answer, judged)) {
          leave_out(ValidatedQuantity::power, {*reason, {}});
        }
      }
      return judged;
    }
    leave_out(ValidatedQuantity::duration, why);
    if (has_power) leave_out(ValidatedQuantity::power, why);
    return std::nullopt;
  }

  static std::optional<NotCompared> judge_power(const Measurement& row, const StepAnswer& answer,
                                                ValidationRow& judged) {
    if (row.energy_kind != EnergyKind::board) return NotCompared::other_energy_kind;
    const Watts power = row.power ? *row.power : *row.energy / row.duration;
    const Joules energy = row.energy ? *row.energy : *row.power * row.duration;
    if (!is_plausible(power.value()) || !is_plausible(energy.value())) {
      return NotCompared::implausible;
    }
    if (!is_plausible(answer.energy.value())) return NotCompared::no_power_law;
    judged.measured_power = power;
    judged.predicted_power = answer.energy / answer.duration;
    judged.energy_interval = answer.energy_interval;
    judged.doubted_power = row.marks.doubts_power() || (!row.power && row.marks.doubts_duration());
    return std::nullopt;
  }

  // Fifths by the FLOPs that were predicted; a step is neither skinny nor more of a training than
  // another.
  static void set_regimes(std::vector<ValidationRow>& rows) {
    if (rows.empty()) return;
    std::vector<double> sizes;
    for (const ValidationRow& row : rows) sizes.push_back(size_of(row.work));
    const FifthBounds fifths = find_fifths(sizes);
    for (ValidationRow& row : rows) {
      const double size = size_of(row.work);
      row.regimes = {true, is_training_shape(row.row->shape), is_skinny_shape(row.row->shape),
                     size >= fifths.large, size <= fifths.small};
    }
  }

  void add_runs(const std::vector<ValidationRow>& steps) {
    std::vector<std::vector<const ValidationRow*>> runs;
    std::map<std::string, std::size_t> places;
    for (const ValidationRow& step : steps) {
      StepShape shape = std::get<StepShape>(step.row->shape);
      shape.steps = 1;
      const std::string key = fmt::format("{}\n{}\n{}\n{}", step.row->source, step.row->software,
                                          to_string(step.row->phase), describe(shape));
      const auto [found, is_new] = places.try_emplace(key, runs.size());
      if (is_new) runs.emplace_back();
      runs[found->second].push_back(&step);
    }
    if (runs.empty()) return;
    const std::size_t place = add_subject(run_operation, runs.size());
    std::vector<ValidationRow> rows;
    for (const auto& run : runs) rows.push_back(sum_run(run, place));
    set_regimes(rows);
    validation_.rows.insert(validation_.rows.end(), rows.begin(), rows.end());
  }

  // Errors of one model's steps are the same law's, so the sum has the interval of each.
  ValidationRow sum_run(const std::vector<const ValidationRow*>& steps, std::size_t place) {
    auto run = std::make_shared<Measurement>(*steps.front()->row);
    run->operation = run_operation;
    run->duration = {};
    Joules measured;
    Joules predicted;
    std::int64_t count = 0;
    ValidationRow row = *steps.front();
    row.subject = place;
    row.work = {};
    row.predicted_duration = {};
    bool has_energy = true;
    for (const ValidationRow* step : steps) {
      const std::int64_t repeats = std::get<StepShape>(step->row->shape).steps;
      const auto times = static_cast<double>(repeats);
      count += repeats;
      run->duration += step->row->duration * times;
      row.work.flops += step->work.flops * times;
      row.work.bytes += step->work.bytes * times;
      row.predicted_duration += step->predicted_duration * times;
      row.in_sample = row.in_sample || step->in_sample;
      row.doubted_duration = row.doubted_duration || step->doubted_duration;
      row.doubted_power = row.doubted_power || step->doubted_power;
      has_energy = has_energy && step->measured_power.has_value();
      if (!has_energy) continue;
      measured += step->row->energy.value_or(*step->measured_power * step->row->duration) * times;
      predicted += *step->predicted_power * step->predicted_duration * times;
    }
    std::get<StepShape>(run->shape).steps = count;
    run->power.reset();
    run->energy.reset();
    row.measured_power.reset();
    row.predicted_power.reset();
    if (has_energy) {
      run->energy = measured;
      row.measured_power = measured / run->duration;
      row.predicted_power = predicted / row.predicted_duration;
    }
    row.row = run.get();
    validation_.runs.push_back(std::move(run));
    return row;
  }

  const MeasuredSteps& steps_;
  const LawSet& laws_;
  const ValidationOptions& options_;
  Validation& validation_;
  std::map<std::string, Answer, std::less<>> answers_{};
  std::set<std::string> seen_laws_{};
  std::vector<LawReference> used_laws_{};
  std::map<std::pair<ValidatedQuantity, Refusal>, std::int64_t> gaps_{};
};

}  // namespace

bool repeats_steps(const Validation& validation, const ValidationSubject& subject) {
  if (subject.operation != run_operation) return false;
  const auto rows_of = [&](std::string_view operation) {
    return std::ranges::count_if(validation.rows, [&](const ValidationRow& row) {
      const ValidationSubject& own = validation.subjects[row.subject];
      return own.device == subject.device && own.precision == subject.precision &&
             own.operation == operation;
    });
  };
  return rows_of(run_operation) == rows_of(step_operation);
}

LawReference refer_to(const Law& law) { return {law.id, law.origin, law.file, law.sha256}; }

Result<void> judge_steps(const MeasuredSteps& steps, const LawSet& laws,
                         const ValidationOptions& options, Validation& validation) {
  return StepJudge(steps, laws, options, validation).judge();
}

}  // namespace joulecast
