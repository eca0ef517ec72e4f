// SPDX-License-Identifier: Apache-2.0
// Training steps, from records of the campaign and from reports of `joulecast measure`.
#include "measured.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::string machine =
    R"({"kind": "machine", "torch_version": "2.11.0", "driver_version": "580.1", "device_name": "NVIDIA H200"})"
    "\n";

std::string step_line(std::string_view id, std::string_view more = "") {
  return fmt::format(
      R"({{"kind": "step", "id": "{}", "held_out": false, "model_file": "models/a/config.json", )"
      R"("batch_size": 16, "sequence_length": 512, "precision": "bf16", "optimizer": "adamw_fused", )"
      R"("steps": 46, "step_mean_seconds": 0.04, "step_energy_nvml_joules": 19.0, )"
      R"("power_limit_watts": 700.0, "parameters_count": 1000{}}})"
      "\n",
      id, more);
}

TEST(ImportCampaign, ReadsStepsAsTheMachineBeforeThemMadeThem) {
  const auto imported = import_text("campaign", "record.jsonl", machine + step_line("a"));
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  ASSERT_EQ(imported->measurements.size(), 1U);
  const Measurement& row = imported->measurements.front();
  EXPECT_EQ(row.device, "h200-141gb-sxm");
  EXPECT_EQ(row.software, "test stack");  // stated by the request, before the record's own
  EXPECT_EQ(row.operation, "step");
  EXPECT_EQ(row.phase, MeasuredPhase::step);
  EXPECT_EQ(row.duration, Seconds{0.04});
  EXPECT_EQ(row.energy, Joules{19.0});
  EXPECT_EQ(row.energy_kind, EnergyKind::board);
  EXPECT_EQ(row.power_limit, Watts{700.0});
  EXPECT_EQ(std::get<StepShape>(row.shape), (StepShape{.model = "models/a/config.json",
                                                       .batch_size = 16,
                                                       .sequence_length = 512,
                                                       .num_gpus = 1,
                                                       .optimizer = Optimizer::adamw,
                                                       .steps = 46}));
  EXPECT_EQ(imported->counts.front().with_power, 1);
}

TEST(ImportCampaign, SurvivesTheTable) {
  const auto rows = imported_rows("campaign", "record.jsonl", machine + step_line("a"));
  const auto again = parse_measurements(write_measurements(rows), "table.csv");
  ASSERT_TRUE(again.has_value()) << describe(again.error());
  EXPECT_EQ(*again, rows);
}

// Nothing disappears: what is no measurement, or not asked for, is counted.
TEST(ImportCampaign, CountsWhatFailedAndWhatIsNotHeldOut) {
  const TemporaryDirectory folder;
  std::string held_out = step_line("held");
  held_out.replace(held_out.find("false"), 5, "true");
  const std::string text = machine +
                           R"({"kind": "idle"})"
                           "\n" +
                           step_line("a") + held_out +
                           R"({"kind": "step", "error": "out of memory"})"
                           "\n";
  ImportRequest request{.format = "campaign", .files = {folder.write("record.jsonl", text)}};
  const auto all = import_measurements(request, shipped_devices());
  ASSERT_TRUE(all.has_value()) << describe(all.error());
  EXPECT_EQ(all->source_rows, 3);
  EXPECT_EQ(all->failed_rows, 1);
  EXPECT_EQ(all->measurements.size(), 2U);
  EXPECT_EQ(all->measurements.front().software, "PyTorch 2.11.0, driver 580.1");
  request.held_out_only = true;
  const auto some = import_measurements(request, shipped_devices());
  ASSERT_TRUE(some.has_value()) << describe(some.error());
  EXPECT_EQ(some->not_held_out, 1);
  EXPECT_EQ(some->measurements.size(), 1U);
}

TEST(ImportCampaign, AsksForTheModelOfThatManyParameters) {
  const TemporaryDirectory folder;
  ImportRequest request{.format = "campaign",
                        .files = {folder.write("record.jsonl", machine + step_line("a"))}};
  request.find_model = [](const std::string& file, std::int64_t parameters) -> Result<std::string> {
    return fmt::format("{} of {}", file, parameters);
  };
  const auto imported = import_measurements(request, shipped_devices());
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  EXPECT_EQ(std::get<StepShape>(imported->measurements.front().shape).model,
            "models/a/config.json of 1000");
}

TEST(ImportCampaign, NamesTheLineOfWhatItCannotRead) {
  struct Case {
    std::string text;
    const char* message;
    int line;
  };
  const std::vector<Case> cases = {
      {machine + "{\n", "", 2},
      {step_line("a"), "before any line of kind machine", 1},
      {machine + R"({"kind": "strange"})", "unknown kind", 2},
      {machine + step_line("a", R"(, "steps": 3)"), "", 2},  // a key twice
      {machine + R"({"kind": "step"})", "model_file", 2},
      {R"({"kind": "machine", "torch_version": "2", "device_name": "NVIDIA Nope"})",
       "unknown device", 1}};
  for (const Case& one : cases) {
    const Error error = import_error("campaign", "record.jsonl", one.text);
    EXPECT_THAT(describe(error), HasSubstr(one.message)) << one.text;
    EXPECT_EQ(error.where.line, one.line) << one.text;
    EXPECT_FALSE(error.remedy.empty()) << describe(error);
  }
  EXPECT_THAT(import_error("campaign", "record.jsonl", "").message, HasSubstr("no measured step"));
}

std::string device_text(std::string_view id, bool shared = false) {
  return fmt::format(R"({{"device": "{}", "kind": "gpu", "name": "NVIDIA H200", )"
                     R"("multi_instance": {}, "power_limit_watts": 700.0}})",
                     id, shared);
}

std::string segment_text(std::string_view name, double begin, double end, std::string_view device,
                         std::string_view joules) {
  return fmt::format(R"({{"name": "{}", "begin_seconds": {}, "end_seconds": {}, "device": "{}", )"
                     R"("energy_joules": {}}})",
                     name, begin, end, device, joules);
}

std::string report_text(const std::vector<std::string>& devices,
                        const std::vector<std::string>& segments) {
  return fmt::format(R"({{"kind": "measurement", "devices": [{}], "segments": [{}]}})",
                     fmt::join(devices, ", "), fmt::join(segments, ", "));
}

ImportRequest report_request(const std::filesystem::path& file) {
  return {.format = "measure",
          .files = {file},
          .step = StepShape{.model = "gpt2", .batch_size = 8, .sequence_length = 256},
          .precision = MeasuredPrecision::bf16};
}

Result<Import> import_report(const std::string& text,
                             const std::function<void(ImportRequest&)>& change = {}) {
  const TemporaryDirectory folder;
  ImportRequest request = report_request(folder.write("run.json", text));
  if (change) change(request);
  return import_measurements(request, shipped_devices());
}

// Two segments of 4 steps: (3 - 1) s / 4 and 80 J / 4.
TEST(ImportMeterReport, DividesSegmentsByTheirSteps) {
  const auto imported = import_report(
      report_text({device_text("gpu0"), R"({"device": "cpu0", "kind": "cpu", "name": "package"})"},
                  {segment_text("epoch1", 1.0, 3.0, "gpu0", "80.0"),
                   segment_text("epoch1", 1.0, 3.0, "cpu0", "11.0"),
                   segment_text("epoch1", 4.0, 7.0, "gpu0", "null")}),
      [](ImportRequest& request) { request.step->steps = 4; });
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  ASSERT_EQ(imported->measurements.size(), 2U);
  const Measurement& first = imported->measurements[0];
  EXPECT_EQ(first.device, "h200-141gb-sxm");
  EXPECT_DOUBLE_EQ(first.duration.value(), 0.5);
  EXPECT_DOUBLE_EQ(first.energy.value().value(), 20.0);
  EXPECT_EQ(std::get<StepShape>(first.shape).steps, 4);
  const Measurement& second = imported->measurements[1];
  EXPECT_DOUBLE_EQ(second.duration.value(), 0.75);
  EXPECT_FALSE(second.energy.has_value());
  EXPECT_EQ(second.energy_kind, EnergyKind::none);
}

TEST(ImportMeterReport, AddsTheDevicesUp) {
  const std::vector<std::string> segments = {segment_text("step", 0.0, 1.0, "gpu0", "300.0"),
                                             segment_text("step", 0.0, 1.0, "gpu1", "350.0")};
  const auto two = [](ImportRequest& request) { request.step->num_gpus = 2; };
  const auto imported =
      import_report(report_text({device_text("gpu0"), device_text("gpu1")}, segments), two);
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  ASSERT_EQ(imported->measurements.size(), 1U);
  EXPECT_DOUBLE_EQ(imported->measurements.front().energy.value().value(), 650.0);
  // The energy of a divided GPU is not that of the program alone.
  const auto shared =
      import_report(report_text({device_text("gpu0"), device_text("gpu1", true)}, segments), two);
  ASSERT_TRUE(shared.has_value()) << describe(shared.error());
  EXPECT_FALSE(shared->measurements.front().energy.has_value());
}

TEST(ImportMeterReport, TakesTheSegmentsThatAreAskedFor) {
  const std::string text =
      report_text({device_text("gpu0")}, {segment_text("epoch1", 0.0, 10.0, "gpu0", "900.0"),
                                          segment_text("step1", 0.0, 1.0, "gpu0", "100.0"),
                                          segment_text("step2", 1.0, 2.0, "gpu0", "101.0")});
  const auto overlapping = import_report(text);
  ASSERT_FALSE(overlapping.has_value());
  EXPECT_THAT(overlapping.error().message, HasSubstr("overlap"));
  const auto steps = import_report(text, [](ImportRequest& request) { request.segments = "step"; });
  ASSERT_TRUE(steps.has_value()) << describe(steps.error());
  EXPECT_EQ(steps->measurements.size(), 2U);
}

TEST(ImportMeterReport, RefusesWhatItCannotAnswerFor) {
  const std::string good =
      report_text({device_text("gpu0")}, {segment_text("step", 0.0, 1.0, "gpu0", "300.0")});
  struct Case {
    std::string text;
    std::function<void(ImportRequest&)> change;
    const char* message;
  };
  const std::vector<Case> cases = {
      {good, [](ImportRequest& request) { request.step.reset(); }, "--model"},
      {good, [](ImportRequest& request) { request.step->batch_size = 0; }, "--batch-size"},
      {good, [](ImportRequest& request) { request.precision.reset(); }, "--precision"},
      {good, [](ImportRequest& request) { request.step->num_gpus = 2; }, "--num-gpus"},
      {good, [](ImportRequest& request) { request.segments = "epoch"; }, "begins with"},
      {R"({"kind": "prediction"})", {}, "not a report of"},
      {report_text({}, {}), {}, "no GPU was measured"},
      {report_text({device_text("gpu0")}, {}), {}, "no marked segment"},
      {report_text({device_text("gpu0")}, {segment_text("step", 1.0, 1.0, "gpu0", "1.0")}),
       {},
       "takes no time"}};
  for (const Case& one : cases) {
    const auto imported = import_report(one.text, one.change);
    ASSERT_FALSE(imported.has_value()) << one.message;
    EXPECT_THAT(describe(imported.error()), HasSubstr(one.message));
    EXPECT_FALSE(imported.error().remedy.empty()) << describe(imported.error());
  }
}

}  // namespace
}  // namespace joulecast
