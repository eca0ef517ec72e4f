// SPDX-License-Identifier: Apache-2.0
#include "laws/roofline.hpp"
#include "measurements/names.hpp"

#include <joulecast/law.hpp>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>

namespace joulecast {
namespace {

struct Asked {
  const LawQuestion& question;

  bool operator()(const SaturationLaw&) const {
    return question.flops > 0.0 && question.facts.peak_flops_per_second > 0.0;
  }
  bool operator()(const RooflineLaw&) const { return true; }
  bool operator()(const FamilyLaw& law) const {
    const LawFamily* family = find_family(law.family);
    return family != nullptr && family_answers(*family, question);
  }
  bool operator()(const CommitteeLaw& law) const {
    return std::ranges::all_of(law.members,
                               [&](const CommitteeMember& member) { return (*this)(member.law); });
  }
};

struct Answer {
  const LawQuestion& question;

  double operator()(const SaturationLaw& law) const {
    return question.flops /
           (question.facts.peak_flops_per_second * evaluate_hef(law, Flops{question.flops}));
  }
  double operator()(const RooflineLaw& law) const {
    const RooflineSeconds seconds = roofline_seconds(law, question);
    return law.launch.value() + std::max(seconds.work, seconds.traffic);
  }
  double operator()(const FamilyLaw& law) const {
    return find_family(law.family)->seconds(law.parameters, question);
  }
  double operator()(const CommitteeLaw& law) const {
    double logarithm = 0.0;
    for (const CommitteeMember& member : law.members) {
      logarithm += member.weight * std::log((*this)(member.law));
    }
    return std::exp(logarithm);
  }
};

}  // namespace

bool family_answers(const LawFamily& family, const LawQuestion& question) {
  if (!family.covers(question.operation, question.precision)) return false;
  if (family.takes_any_shape) return true;
  const MeasuredOperation* operation = find_measured_operation(question.operation);
  return operation != nullptr &&
         question.shape.index() == static_cast<std::size_t>(operation->shape);
}

LawQuestion question_of(const Measurement& row, const DeviceFacts& facts) {
  const MeasuredWork work = least_work(row);
  return {.operation = row.operation,
          .shape = row.shape,
          .precision = row.precision,
          .flops = work.flops.value(),
          .bytes = work.bytes.value(),
          .facts = facts};
}

bool law_answers(const Law& law, const LawQuestion& question) {
  return std::visit(Asked{question}, law.form);
}

Seconds evaluate_law(const Law& law, const LawQuestion& question) {
  assert(law_answers(law, question));
  return Seconds{std::visit(Answer{question}, law.form)};
}

std::optional<IntervalFactors> interval_for(const Law& law, Seconds predicted, double intensity) {
  for (const IntervalBand& band : law.bands) {
    if (intensity < band.intensity_below && predicted < band.below) return band.factors;
  }
  return law.interval;
}

std::optional<PowerAnswer> evaluate_law_power(const Law& law, const LawQuestion& question,
                                              Seconds duration) {
  const double limit = question.facts.power_limit_watts;
  if (!law.power || !(limit > 0.0)) return std::nullopt;
  const double power = evaluate_power(law.power->law, power_question(question, duration.value()));
  const bool held = power >= at_limit_share * limit;
  return PowerAnswer{Watts{power}, held ? law.power->at_limit : law.power->below_limit};
}

bool is_in_sample(const Law& law, const Measurement& row) {
  if (law.row_hashes.empty()) return false;
  return std::ranges::binary_search(law.row_hashes, short_hash(row));
}

std::uint32_t short_hash(const Measurement& row) {
  const std::string hash = hash_of(row);
  std::uint32_t number = 0;
  std::from_chars(hash.data(), hash.data() + 8, number, 16);
  return number;
}

}  // namespace joulecast
