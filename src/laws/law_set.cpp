// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include "laws/shipped.hpp"

#include <algorithm>

namespace joulecast {

const Law* LawSet::find(const LawKey& key) const {
  for (const std::string_view operation : key.operations) {
    for (const Law& law : laws_) {
      if (law.device == key.device && law.precision == key.precision &&
          law.operation == operation) {
        return &law;
      }
    }
  }
  return nullptr;
}

const Law& LawSet::find(const Device& device, const Operation& operation) const {
  const auto precision = measured_precision_of(operation.precision);
  if (!precision) return prior_;
  const std::vector<std::string_view> names = law_names(operation);
  const auto first_of = [&](const auto& ordered, auto&& wanted) -> const Law* {
    for (const std::string_view name : ordered) {
      for (const Law& law : laws_) {
        const bool fits =
            law.device == device.id && law.precision == precision && law.operation == name;
        if (fits && wanted(law)) return &law;
      }
    }
    return nullptr;
  };
  const Law* law = first_of(names, [](const Law& candidate) {
    const bool shipped = candidate.file == "shipped";
    return candidate.origin != LawOrigin::transferred && !(shipped && candidate.host_timed);
  });
  if (law != nullptr) return *law;
  law = first_of(general_first(names),
                 [](const Law& candidate) { return candidate.origin == LawOrigin::transferred; });
  return law != nullptr ? *law : prior_;
}

namespace {

// Time from one kernel's end to the next one's end, beyond its work, in a full queue.
constexpr double queued_kernel_seconds = 2e-6;

void queue(FamilyLaw& law) {
  const LawFamily* family = find_family(law.family);
  for (std::size_t i = 0; i < law.parameters.size(); ++i) {
    const LawParameter& parameter = family->parameters[i];
    if (parameter.name == "host_seconds") law.parameters[i] = parameter.lowest;
    if (parameter.name == "kernel_seconds") {
      law.parameters[i] = std::min(law.parameters[i], queued_kernel_seconds);
    }
  }
}

}  // namespace

LawSet LawSet::queued() const {
  std::vector<Law> laws = laws_;
  for (Law& law : laws) {
    if (auto* own = std::get_if<FamilyLaw>(&law.form)) queue(*own);
    if (auto* committee = std::get_if<CommitteeLaw>(&law.form)) {
      for (CommitteeMember& member : committee->members) queue(member.law);
    }
  }
  return {std::move(laws), prior_, power_};
}

LawSet LawSet::followed_by(const LawSet& others) const {
  std::vector<Law> laws = laws_;
  laws.insert(laws.end(), others.laws_.begin(), others.laws_.end());
  return {std::move(laws), others.prior_, others.power_};
}

std::optional<MeasuredPrecision> measured_precision_of(Precision precision) {
  switch (precision) {
    case Precision::fp32: return MeasuredPrecision::fp32;
    case Precision::tf32: return MeasuredPrecision::tf32;
    case Precision::fp16: return MeasuredPrecision::fp16;
    case Precision::bf16: return MeasuredPrecision::bf16;
    case Precision::fp8: return MeasuredPrecision::fp8;
    case Precision::fp4: return MeasuredPrecision::nvfp4;
    case Precision::int8: return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string_view> law_names(const Operation& operation) {
  std::vector<std::string_view> names = {operation.name};
  const std::string_view name = operation.name;
  if (const auto* shape = std::get_if<MatmulShape>(&operation.shape)) {
    if (shape->batch > 1) names.emplace_back("batched_matmul");
    names.emplace_back("linear");
  } else if (std::holds_alternative<GroupedMatmulShape>(operation.shape)) {
    names.emplace_back("batched_matmul");
    names.emplace_back("linear");
  } else if (const auto* fused = std::get_if<FusedAttentionShape>(&operation.shape)) {
    names.emplace_back(fused->causal ? "attention" : "encoder_attention");
    names.emplace_back("fused_attention");
    return names;
  } else if (name.ends_with("bias_gradient") || name.ends_with("batch_norm")) {
    names.emplace_back(name.ends_with("norm") ? "batch_norm" : "bias_gradient");
    names.emplace_back(name.ends_with("norm") ? "layer_norm" : "multiply");
  } else if (operation.kind == OperationKind::softmax || operation.kind == OperationKind::loss) {
    names.emplace_back("softmax");
  } else if (operation.kind == OperationKind::normalization) {
    if (name.ends_with("rms_norm")) names.emplace_back("rms_norm");
    names.emplace_back("layer_norm");
  } else if (name.ends_with("residual")) {
    names.emplace_back("add");
  } else if (name.ends_with("activation") || name == "gate_activations") {
    names.emplace_back("gelu");
  } else if (operation.kind == OperationKind::elementwise ||
             operation.kind == OperationKind::optimizer) {
    names.emplace_back("multiply");
  }
  // Convolutions along one dimension were never measured.
  const auto* convolution = std::get_if<ConvolutionShape>(&operation.shape);
  if (convolution == nullptr || !convolution->one_dimensional) {
    names.push_back(to_string(operation.kind));
  }
  return names;
}

std::string_view to_string(LawOrigin origin) {
  switch (origin) {
    case LawOrigin::prior: return "prior";
    case LawOrigin::published: return "published";
    case LawOrigin::fitted: return "fitted";
    case LawOrigin::transferred: return "transferred";
  }
  return "unknown";
}

std::vector<std::string_view> general_first(std::vector<std::string_view> names) {
  if (!names.empty()) std::ranges::rotate(names, names.begin() + 1);
  return names;
}

}  // namespace joulecast
