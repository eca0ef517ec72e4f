// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include "../documents/temporary_directory.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace joulecast {
namespace {

using testing::HasSubstr;

// The keys of a law file, as JSON, so that a test can change the one that it is about.
using LawFile = std::map<std::string, std::string>;

LawFile saturation_file() {
  return {{"schema_version", "1"},
          {"device", "\"a100-80gb-pcie\""},
          {"operation", "\"qkv_projection\""},
          {"precision", "\"tf32\""},
          {"form", "\"saturation\""},
          {"parameters", R"({"eta_max": 0.6938, "saturation_rate": 10.37,
                            "saturation_exponent": 0.78, "flops_scale": 1e12})"},
          {"fitted_flops_minimum", "1e8"},
          {"fitted_flops_maximum", "1e13"},
          {"lower_factor", "0.8"},
          {"upper_factor", "1.3"},
          {"source", "\"measurement of 2026-01\""}};
}

LawFile with(LawFile file, const std::string& key, const std::string& value) {
  file.erase(key);
  if (!value.empty()) file[key] = value;
  return file;
}

std::string to_json(const LawFile& file) {
  std::string text = "{";
  for (const auto& [key, value] : file) {
    text += (text.size() > 1 ? ",\n\"" : "\n\"") + key + "\": " + value;
  }
  return text + "\n}\n";
}

Result<LawSet> read(const std::vector<LawFile>& files) {
  const TemporaryDirectory directory;
  int number = 0;
  for (const LawFile& file : files) {
    (void)directory.write("law_" + std::to_string(++number) + ".json", to_json(file));
  }
  return read_laws(directory.path());
}

Error error_of(const LawFile& file) {
  const auto laws = read({file});
  EXPECT_FALSE(laws.has_value()) << to_json(file);
  return laws ? Error{} : laws.error();
}

Operation operation(std::string name, OperationKind kind, Precision precision) {
  return {.name = std::move(name), .kind = kind, .precision = precision};
}

const Device a100{.id = "a100-80gb-pcie"};

TEST(LawFiles, ReadASaturationLaw) {
  const auto laws = read({saturation_file()});
  ASSERT_TRUE(laws.has_value()) << describe(laws.error());
  ASSERT_EQ(laws->laws().size(), 1U);
  const Law& law = laws->laws()[0];
  EXPECT_EQ(law.id, "a100-80gb-pcie/tf32/qkv_projection");
  EXPECT_EQ(law.device, "a100-80gb-pcie");
  EXPECT_EQ(law.operation, "qkv_projection");
  EXPECT_EQ(law.precision, MeasuredPrecision::tf32);
  EXPECT_EQ(std::get<SaturationLaw>(law.form), (SaturationLaw{0.6938, 10.37, 0.78, 1e12}));
  EXPECT_EQ(law.fitted_range->lowest.value(), 1e8);
  EXPECT_EQ(law.fitted_range->highest.value(), 1e13);
  EXPECT_EQ(law.interval, (IntervalFactors{0.8, 1.3}));
  EXPECT_EQ(law.source, "measurement of 2026-01");
  EXPECT_THAT(law.file, HasSubstr("law_1.json"));
  EXPECT_EQ(law.sha256.size(), 64U);
}

TEST(LawFiles, ReadARooflineLawWithoutAnInterval) {
  LawFile file = with(saturation_file(), "form", "\"roofline\"");
  file["parameters"] =
      R"({"compute_fraction": 0.7, "bandwidth_fraction": 0.75, "launch_seconds": 5e-6})";
  file = with(with(file, "lower_factor", ""), "upper_factor", "");
  const LawSet laws = read({file}).value();
  EXPECT_EQ(std::get<RooflineLaw>(laws.laws()[0].form), (RooflineLaw{0.7, 0.75, Seconds{5e-6}}));
  EXPECT_EQ(laws.laws()[0].interval, std::nullopt);
}

TEST(LawFiles, AreReadInFoldersBelowInTheOrderOfTheirNames) {
  const TemporaryDirectory directory;
  for (const char* name : {"z", "a/b/m", "a/a"}) {
    const LawFile file = with(saturation_file(), "operation", "\"" + std::string(name) + "\"");
    (void)directory.write(std::string(name) + ".json", to_json(file));
  }
  (void)directory.write("README.md", "not a law");
  const LawSet laws = read_laws(directory.path()).value();
  ASSERT_EQ(laws.laws().size(), 3U);
  EXPECT_EQ(laws.laws()[0].operation, "a/a");
  EXPECT_EQ(laws.laws()[1].operation, "a/b/m");
  EXPECT_EQ(laws.laws()[2].operation, "z");
}

TEST(LawFiles, TwoLawsForOneThingAreRefused) {
  const auto laws = read({saturation_file(), with(saturation_file(), "source", "\"other\"")});
  ASSERT_FALSE(laws.has_value());
  EXPECT_EQ(laws.error().kind, ErrorKind::schema);
  EXPECT_THAT(laws.error().where.file, HasSubstr("law_2.json"));
  EXPECT_THAT(laws.error().message, HasSubstr("a100-80gb-pcie/tf32/qkv_projection"));
  // Another precision, operation or device is another thing.
  EXPECT_TRUE(read({saturation_file(), with(saturation_file(), "precision", "\"fp32\""),
                    with(saturation_file(), "operation", "\"matmul\""),
                    with(saturation_file(), "device", "\"t4\"")})
                  .has_value());
}

TEST(LawFiles, EveryKeyButTheIntervalIsRequired) {
  for (const auto& [key, value] : saturation_file()) {
    const Error error = error_of(with(saturation_file(), key, ""));
    EXPECT_EQ(error.kind, ErrorKind::schema) << key;
    EXPECT_EQ(error.where.path, key);
    EXPECT_THAT(error.where.file, HasSubstr("law_1.json"));
    EXPECT_FALSE(error.remedy.empty());
  }
  for (const char* key : {"eta_max", "saturation_rate", "saturation_exponent", "flops_scale"}) {
    LawFile file = saturation_file();
    std::string& parameters = file["parameters"];
    // Too far from the name to pass for a slip of the pen, which would be blamed itself.
    parameters.replace(parameters.find(key), 1, "another_");
    EXPECT_EQ(error_of(file).where.path, "parameters." + std::string(key));
  }
}

TEST(LawFiles, EachParameterStaysInItsRange) {
  struct Bad {
    const char* key;
    const char* value;
  };
  for (const Bad& bad :
       {Bad{"eta_max", "0"}, Bad{"eta_max", "1.0001"}, Bad{"eta_max", "69.38"},  // percent
        Bad{"eta_max", "-0.5"}, Bad{"saturation_rate", "0"}, Bad{"saturation_rate", "-1"},
        Bad{"saturation_exponent", "0"}, Bad{"saturation_exponent", "11"},
        Bad{"flops_scale", "0"}}) {
    LawFile file = saturation_file();
    std::map<std::string, std::string> parameters{{"eta_max", "0.7"},
                                                  {"saturation_rate", "10"},
                                                  {"saturation_exponent", "0.8"},
                                                  {"flops_scale", "1e12"}};
    parameters[bad.key] = bad.value;
    file["parameters"] = to_json(parameters);
    const Error error = error_of(file);
    EXPECT_EQ(error.kind, ErrorKind::value) << bad.key << " " << bad.value;
    EXPECT_EQ(error.where.path, "parameters." + std::string(bad.key));
  }
  for (const Bad& bad : {Bad{"compute_fraction", "0"}, Bad{"compute_fraction", "1.1"},
                         Bad{"bandwidth_fraction", "75"}, Bad{"launch_seconds", "0"},
                         Bad{"launch_seconds", "5"}}) {  // microseconds
    std::map<std::string, std::string> parameters{
        {"compute_fraction", "0.7"}, {"bandwidth_fraction", "0.75"}, {"launch_seconds", "5e-6"}};
    parameters[bad.key] = bad.value;
    LawFile file = with(saturation_file(), "form", "\"roofline\"");
    file["parameters"] = to_json(parameters);
    EXPECT_EQ(error_of(file).where.path, "parameters." + std::string(bad.key)) << bad.value;
  }
}

TEST(LawFiles, TheFittedRangeAndTheIntervalMakeSense) {
  EXPECT_EQ(error_of(with(saturation_file(), "fitted_flops_minimum", "2e13")).where.path,
            "fitted_flops_minimum");
  EXPECT_TRUE(read({with(saturation_file(), "fitted_flops_minimum", "1e13")}).has_value());
  EXPECT_EQ(error_of(with(saturation_file(), "fitted_flops_minimum", "0")).kind, ErrorKind::value);
  EXPECT_EQ(error_of(with(saturation_file(), "lower_factor", "1.1")).where.path, "lower_factor");
  EXPECT_EQ(error_of(with(saturation_file(), "lower_factor", "0")).where.path, "lower_factor");
  EXPECT_EQ(error_of(with(saturation_file(), "upper_factor", "0.9")).where.path, "upper_factor");
}

TEST(LawFiles, RefuseUnknownWordsKeysAndTypes) {
  EXPECT_EQ(error_of(with(saturation_file(), "schema_version", "2")).where.path, "schema_version");
  EXPECT_THAT(error_of(with(saturation_file(), "form", "\"satturation\"")).remedy,
              HasSubstr("did you mean saturation?"));
  const Error precision = error_of(with(saturation_file(), "precision", "\"fp64\""));
  EXPECT_EQ(precision.where.path, "precision");
  EXPECT_THAT(precision.remedy, HasSubstr("tf32"));
  const Error unknown = error_of(with(saturation_file(), "lower_facter", "0.8"));
  EXPECT_EQ(unknown.kind, ErrorKind::schema);
  EXPECT_THAT(unknown.remedy, HasSubstr("did you mean lower_factor"));
  EXPECT_EQ(error_of(with(saturation_file(), "parameters", "[]")).kind, ErrorKind::schema);
  EXPECT_EQ(error_of(with(saturation_file(), "device", "3")).kind, ErrorKind::schema);
  // Parameters of the other form.
  EXPECT_EQ(error_of(with(saturation_file(), "form", "\"roofline\"")).where.path,
            "parameters.compute_fraction");
}

TEST(LawFiles, BrokenFilesAndFoldersAreNamed) {
  const TemporaryDirectory directory;
  const auto absent = read_laws(directory.path() / "absent");
  EXPECT_EQ(absent.error().kind, ErrorKind::not_found);
  EXPECT_EQ(absent.error().where.path, "--laws");
  EXPECT_THAT(absent.error().where.file, HasSubstr("absent"));
  EXPECT_EQ(read_laws(directory.path()).error().kind, ErrorKind::not_found);
  EXPECT_THAT(read_laws(directory.path()).error().message, HasSubstr("no .json file"));
  const auto file = directory.write("law.json", "{\"schema_version\": 1,\n");
  EXPECT_EQ(read_laws(file).error().kind, ErrorKind::not_found);
  const auto broken = read_laws(directory.path());
  EXPECT_EQ(broken.error().kind, ErrorKind::syntax);
  EXPECT_EQ(broken.error().where.file, file.string());
  EXPECT_EQ(broken.error().where.line, 2);
  std::filesystem::remove(file);
  std::filesystem::create_directory(directory.path() / "folder.json");
  EXPECT_EQ(read_laws(directory.path()).error().kind, ErrorKind::io);
}

TEST(LawSelection, TakesTheLawOfTheNameBeforeThatOfTheKind) {
  const LawFile by_name = saturation_file();
  const LawFile by_kind = with(saturation_file(), "operation", "\"matmul\"");
  for (const auto& files : {std::vector{by_name, by_kind}, std::vector{by_kind, by_name}}) {
    const LawSet laws = read(files).value();
    const auto chosen = [&](const char* name, OperationKind kind) {
      return laws.find(a100, operation(name, kind, Precision::tf32)).id;
    };
    EXPECT_EQ(chosen("qkv_projection", OperationKind::matmul),
              "a100-80gb-pcie/tf32/qkv_projection");
    EXPECT_EQ(chosen("attention_scores", OperationKind::matmul), "a100-80gb-pcie/tf32/matmul");
    EXPECT_EQ(chosen("softmax", OperationKind::softmax), "prior");
  }
}

TEST(LawSelection, FallsBackToThePriorForAnotherDeviceOrPrecision) {
  const LawSet laws = read({saturation_file()}).value();
  const Operation tf32 = operation("qkv_projection", OperationKind::matmul, Precision::tf32);
  const Operation bf16 = operation("qkv_projection", OperationKind::matmul, Precision::bf16);
  EXPECT_EQ(laws.find(a100, tf32).origin, LawOrigin::fitted);
  EXPECT_EQ(laws.find(a100, bf16).origin, LawOrigin::prior);
  EXPECT_EQ(laws.find(Device{.id = "t4"}, tf32).origin, LawOrigin::prior);
  EXPECT_EQ(&laws.find(a100, bf16), &laws.prior());
}

TEST(ShippedLaws, AreThePriorAloneWithinPhysicalBounds) {
  const LawSet laws = shipped_prior();
  EXPECT_TRUE(laws.laws().empty());
  const Law& prior = laws.prior();
  const auto& roofline = std::get<RooflineLaw>(prior.form);
  EXPECT_GT(roofline.compute_fraction, 0.0);
  EXPECT_LE(roofline.compute_fraction, 1.0);
  EXPECT_GT(roofline.bandwidth_fraction, 0.0);
  EXPECT_LE(roofline.bandwidth_fraction, 1.0);
  EXPECT_GT(roofline.launch.value(), 0.0);
  EXPECT_FALSE(prior.fitted_range.has_value());
  EXPECT_LE(prior.interval->lower, 1.0);
  EXPECT_GE(prior.interval->upper, 1.0);
  EXPECT_FALSE(prior.source.empty());
  EXPECT_EQ(prior.file, "shipped");
  EXPECT_GE(laws.power().idle_fraction, 0.0);
  EXPECT_LT(laws.power().idle_fraction, 1.0);
  EXPECT_FALSE(laws.power().source.empty());
}

TEST(ShippedLaws, ThePriorIsTheSameBesideAUserSLaws) {
  const LawSet laws = read({saturation_file()}).value();
  EXPECT_EQ(laws.prior().form, shipped_prior().prior().form);
  EXPECT_EQ(laws.prior().sha256, shipped_prior().prior().sha256);
  EXPECT_EQ(laws.power().idle_fraction, shipped_prior().power().idle_fraction);
}

}  // namespace
}  // namespace joulecast
