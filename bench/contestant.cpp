// SPDX-License-Identifier: Apache-2.0
// joulecast_bench DATA: does on stdin's demand what bench/run.py times, and says on stdout how long
// it took and what came out, one line of JSON each. The process stays, so that it and the other
// contestants can take turns.
//
//   laws                fits the saturation law to every operation and GPU of the paper's tables
//   bootstrap INDEX     1000 resamples of one of those laws
//   ridge RESAMPLES     the paper's ridge regression, resampled
#include "documents/csv.hpp"
#include "fitting/linear_bootstrap.hpp"
#include "fitting/saturation_bootstrap.hpp"

#include <chrono>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace {

using namespace joulecast;

struct BenchLaw {
  std::string name;
  std::vector<HefSample> samples;
  SaturationFit fit;
};

// As bench/run.py groups them: by table, GPU and operation, without those of no FLOPs to speak of.
std::vector<BenchLaw> read_bench_laws(const std::string& data) {
  std::map<std::string, std::vector<HefSample>> groups;
  for (const auto& [file, column] : {std::pair{"dataForTransformerHEF.csv", "operation"},
                                     std::pair{"dataForLstmHEF.csv", "component"}}) {
    const CsvTable table = read_csv_file(fmt::format("{}/ecai2025/{}", data, file)).value();
    const auto names = table.texts(column).value();
    const auto gpus = table.texts("source").value();
    const auto flops = table.numbers("FLOPs").value();
    const auto percent = table.numbers("HEF").value();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "attention_softmax") continue;
      groups[fmt::format("{}: {}", gpus[i], names[i])].push_back({flops[i], percent[i] / 100.0});
    }
  }
  std::vector<BenchLaw> laws;
  for (auto& [name, samples] : groups) laws.push_back({name, std::move(samples), {}});
  return laws;
}

struct BenchSteps {
  std::vector<Feature> features;
  std::vector<double> energies;
};

BenchSteps read_bench_steps(const std::string& data) {
  const CsvTable table =
      read_csv_file(data + "/ecai2025/SubsetDataForTransformer_energyModel.csv").value();
  BenchSteps steps{{}, table.numbers("energy_joules").value()};
  for (const char* name : {"duration_QKV Projections", "duration_Attention Scores",
                           "duration_Attention Output", "duration_Final Projection"}) {
    steps.features.push_back({name, table.numbers(name).value()});
  }
  return steps;
}

double time_of(const auto& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string numbers_of(const SaturationLaw& law) {
  return fmt::format("[{},{},{}]", law.eta_max, law.saturation_rate, law.saturation_exponent);
}

std::string fit_all(std::vector<BenchLaw>& laws) {
  const double seconds = time_of([&] {
    for (BenchLaw& law : laws) law.fit = fit_saturation_law(law.samples, {}).value();
  });
  std::vector<std::string> results;
  for (const BenchLaw& law : laws) {
    results.push_back(fmt::format("{{\"name\":\"{}\",\"sum_of_squares\":{},\"law\":{}}}", law.name,
                                  law.fit.sum_of_squares, numbers_of(law.fit.law)));
  }
  return fmt::format("{{\"seconds\":{},\"laws\":[{}]}}", seconds, fmt::join(results, ","));
}

std::string resample_law(BenchLaw& law) {
  std::vector<SaturationLaw> drawn;
  const double seconds = time_of([&] {
    law.fit = fit_saturation_law(law.samples, {}).value();
    drawn = resample_saturation_law(law.samples, law.fit, {}, {}).value();
  });
  std::vector<std::string> results;
  for (const SaturationLaw& one : drawn) results.push_back(numbers_of(one));
  return fmt::format("{{\"seconds\":{},\"laws\":[{}]}}", seconds, fmt::join(results, ","));
}

std::string resample_steps(const BenchSteps& steps, int resamples) {
  Eigen::MatrixXd drawn;
  const double seconds = time_of([&] {
    drawn = resample_ridge(steps.features, steps.energies, 5.0, {.resamples = resamples}).value();
  });
  std::vector<std::string> rows;
  for (Eigen::Index i = 0; i < drawn.rows(); ++i) {
    const Eigen::VectorXd row = drawn.row(i);
    rows.push_back(fmt::format("[{}]", fmt::join(row.begin(), row.end(), ",")));
  }
  return fmt::format("{{\"seconds\":{},\"coefficients\":[{}]}}", seconds, fmt::join(rows, ","));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: joulecast_bench DATA\n";
    return 2;
  }
  auto laws = read_bench_laws(arguments[1]);
  const auto steps = read_bench_steps(arguments[1]);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string what;
    int number = 0;
    words >> what >> number;
    if (what == "laws") std::cout << fit_all(laws) << std::endl;
    if (what == "bootstrap") {
      std::cout << resample_law(laws.at(static_cast<std::size_t>(number))) << std::endl;
    }
    if (what == "ridge") std::cout << resample_steps(steps, number) << std::endl;
  }
}
