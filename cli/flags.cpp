// SPDX-License-Identifier: Apache-2.0
#include "flags.hpp"

#include <algorithm>
#include <cassert>

namespace joulecast::cli {
namespace {

const std::vector<VerbSpec> verbs = {
    {Verb::predict,
     "predict",
     "MODEL",
     1,
     1,
     "time, energy, CO2 and cost of training a model",
     "MODEL is a Hugging Face config.json, a folder that holds one, a model file in TOML, a "
     "shipped "
     "id (`joulecast models`), or an id of the Hub that its local cache holds; nothing is fetched. "
     "Prints each operation "
     "with FLOPs, hardware efficiency factor (HEF), time and energy, then one step, "
     "then, if its length is stated, the whole run.",
     {"joulecast predict examples/bert-base-uncased/config.json --gpu a100-80gb-pcie --precision "
      "tf32 "
      "--batch-size 64 --sequence-length 320",
      "joulecast predict examples/gpt2/config.json --gpu h100-80gb-sxm --precision bf16 "
      "--batch-size 32 "
      "--sequence-length 1024 --tokens 10e9 --num-gpus 8 --region FRA --pue 1.2",
      "joulecast predict examples/model_a.toml --gpu a100-80gb-pcie --precision tf32 --batch-size "
      "64 "
      "--sequence-length 320 --convention ecai2025"}},
    {Verb::compare,
     "compare",
     "MODEL...",
     1,
     64,
     "several models, or one model on several GPUs, side by side",
     "Every MODEL is predicted on every --gpu; ratios are to the first.",
     {"joulecast compare examples/bert-base-uncased/config.json examples/gpt2/config.json --gpu "
      "a100-80gb-pcie "
      "--precision tf32 --batch-size 16 --sequence-length 512",
      "joulecast compare examples/gpt2/config.json --gpu a100-80gb-sxm --gpu h100-80gb-sxm "
      "--precision bf16 "
      "--batch-size 16 --sequence-length 1024 --tokens 1e9"}},
    {Verb::operations,
     "operations",
     "MODEL",
     1,
     1,
     "the operations of one training step and its memory, without a GPU",
     "Lists every operation with its shape, FLOPs, bytes moved, phase and count, and the parts of "
     "the "
     "memory needed.",
     {"joulecast operations examples/gpt2/config.json --precision bf16 --batch-size 8 "
      "--sequence-length "
      "1024 "
      "--format csv"}},
    {Verb::explain,
     "explain",
     "MODEL",
     1,
     1,
     "where one number comes from",
     "Shows formula, substituted values, law, source and range of an operation, of the step or of "
     "the run.",
     {"joulecast explain examples/gpt2/config.json --gpu a100-80gb-pcie --precision tf32 "
      "--batch-size 8 "
      "--sequence-length 1024 --operation feed_forward_up --phase backward_weight"}},
    {Verb::models,
     "models",
     "",
     0,
     0,
     "the models that are known by an id",
     "Lists the shipped configurations with the parameters that they count, those that one token "
     "passes through, and where each comes from.",
     {"joulecast models", "joulecast models --format csv"}},
    {Verb::devices,
     "devices",
     "[ID]",
     0,
     1,
     "the accelerators that can be predicted",
     "Lists all of them, or one with the source of each figure.",
     {"joulecast devices", "joulecast devices h100-80gb-sxm"}},
    {Verb::regions,
     "regions",
     "[REGION]",
     0,
     1,
     "carbon intensity of electricity by country",
     "Lists all regions, or one, with year and source.",
     {"joulecast regions FRA"}},
    {Verb::reproduce,
     "reproduce",
     "ecai2025",
     1,
     1,
     "every published number of the source paper, recomputed",
     "Prints published, ours, difference and status for each number, and an audit of the data. "
     "Exits 1 if a recomputed number disagrees.",
     {"joulecast reproduce ecai2025", "joulecast reproduce ecai2025 --data DIR --format json"}},
    {Verb::import,
     "import",
     "FORMAT FILE...",
     2,
     1024,
     "measurements of others as one table to fit laws to",
     "FORMAT is one of ecai2025-ops, ecai2025-lstm-ops, aiconfigurator-gemm, "
     "aiconfigurator-attention, aiconfigurator-encoder-attention, aiconfigurator-moe, "
     "aiconfigurator-computescale, neusight-ops and vidur-ops, or campaign for a record of "
     "campaign/, or measure for a report of `joulecast measure` whose segments are training steps. "
     "Checks units, leaves exact copies out, marks doubtful rows with the reason, and prints how "
     "many there are of each.",
     {"joulecast import aiconfigurator-gemm h200_gemm_power.csv --device h200-141gb-sxm --output "
      "h200_gemm.csv",
      "joulecast import neusight-ops nvidia_train_linear.csv nvidia_train_bmm.csv --output "
      "fp32.csv",
      "joulecast import measure run.json --model config.json --batch-size 16 --sequence-length 512 "
      "--precision bf16 --device h200-141gb-sxm --output steps.csv"}},
    {Verb::fit,
     "fit",
     "TABLE...",
     1,
     1024,
     "laws from tables of measurements",
     "Fits every family of laws to each device, precision and operation of the tables, takes the "
     "one "
     "that errs least on shapes it has not seen, and writes it with intervals, every family's "
     "error "
     "and the hashes of the rows. Use them with --laws. With --regression, explains one column of "
     "a "
     "table by others, as the source paper explains the energy of steps: coefficients with 95 % "
     "intervals of a bootstrap over rows, and the columns that replace each other.",
     {"joulecast fit h200_gemm.csv --output laws",
      "joulecast fit steps.csv --regression ridge --target energy_joules --features "
      "qkv_seconds,scores_seconds"}},
    {Verb::validate,
     "validate",
     "TABLE...",
     1,
     1024,
     "errors of laws on measured operations, and of predictions on measured steps",
     "Prints count, mean, median and 90th percentile of the error, bias, R2 and the coverage of "
     "the "
     "90 % interval, per device, precision, operation and regime, for duration, power and energy. "
     "Rows that a law was fitted to are reported apart. Training steps are predicted from their "
     "models and listed one by one, and as runs.",
     {"joulecast validate h200_gemm.csv --plot h200.svg", "joulecast validate steps.csv"}},
    {Verb::measure,
     "measure",
     "-- COMMAND...",
     1,
     100'000,
     "time and energy of a command that runs on this machine",
     "Runs COMMAND and reports time, energy by device, power, clocks, temperature and what is "
     "missing in the readings, on stderr or to --output. Signals and the exit code pass through. "
     "The command may split its record into segments: it appends lines such as \"begin epoch1\" "
     "and \"end epoch1\" to the file that the variable JOULECAST_MARKS names.",
     {"joulecast measure -- python3 train.py --epochs 1",
      "joulecast measure --baseline 10 --output run.json -- python3 train.py",
      "joulecast measure --devices cpu -- make -j"}},
    {Verb::watch,
     "watch",
     "",
     0,
     0,
     "power and energy of this machine's devices, live",
     "Prints a line each second until it is interrupted, then what was taken in all.",
     {"joulecast watch", "joulecast watch --devices 0,1 --duration 60 --format csv"}},
    {Verb::doctor,
     "doctor",
     "",
     0,
     0,
     "version, configuration and data in use",
     "Prints what a bug report needs, and everything in the configuration file that another verb "
     "would refuse. Exits 2 if there is any.",
     {"joulecast doctor"}},
    {Verb::help,
     "help",
     "[VERB]",
     0,
     1,
     "this help, or that of a verb",
     "With --format markdown, the whole reference.",
     {"joulecast help predict"}},
    {Verb::man,
     "man",
     "",
     0,
     0,
     "the manual page, in troff",
     "Prints the manual page.",
     {"joulecast man | man -l -"}},
    {Verb::completions,
     "completions",
     "bash|zsh|fish",
     1,
     1,
     "completions for a shell",
     "Prints a script for the shell to source.",
     {"joulecast completions bash > ~/.local/share/bash-completion/completions/joulecast"}},
};

const std::vector<Verb> predicting = {Verb::predict, Verb::compare, Verb::explain};
const std::vector<Verb> modelling = {Verb::predict, Verb::compare, Verb::explain, Verb::operations};
// What was trained, of a prediction or of a measurement.
const std::vector<Verb> training = {Verb::predict, Verb::compare, Verb::explain, Verb::operations,
                                    Verb::import};

const std::vector<FlagSpec> flags = {
    {"gpu", "ID", "the accelerator, by id, name or alias; several in compare", "Hardware",
     predicting, "", true},
    {"num-gpus",
     "N",
     "ideal data parallelism over N GPUs (default 1)",
     "Hardware",
     {Verb::predict, Verb::compare, Verb::explain, Verb::import},
     ""},
    {"device-file",
     "FILE",
     "your own accelerators, in TOML",
     "Hardware",
     {Verb::predict, Verb::compare, Verb::explain, Verb::devices, Verb::import, Verb::fit,
      Verb::validate, Verb::doctor},
     "",
     true},
    {"device",
     "ID",
     "the device measured, where the files do not name it",
     "Hardware",
     {Verb::import},
     ""},
    {"devices",
     "LIST",
     "what to measure: indices, UUIDs, gpus, cpu or all (default: the GPUs of "
     "CUDA_VISIBLE_DEVICES, and the processors)",
     "Hardware",
     {Verb::measure, Verb::watch},
     "",
     true},
    {"interval",
     "S",
     "seconds between readings (default 0.1, more where reading is slow); of watch between lines "
     "(default 1)",
     "Method",
     {Verb::measure, Verb::watch},
     ""},
    {"baseline",
     "S",
     "first measure the idle machine for S seconds",
     "Method",
     {Verb::measure},
     ""},
    {"duration", "S", "end after S seconds", "Method", {Verb::watch}, ""},
    {"model",
     "MODEL",
     "what the program trained whose report of `measure` is imported",
     "Training",
     {Verb::import},
     ""},
    {"precision", "FORMAT", "number format of the matrix products", "Training", training,
     "fp32|tf32|fp16|bf16|fp8"},
    {"batch-size", "N", "sequences per GPU and step, or per accumulated batch", "Training",
     training, ""},
    {"sequence-length", "N", "tokens per sequence; time steps for LSTM and GRU", "Training",
     training, ""},
    {"target-sequence-length", "N",
     "tokens per sequence of a decoder that has its own (default: as --sequence-length)",
     "Training", modelling, ""},
    {"optimizer", "NAME", "what updates the parameters (default adamw)", "Training", training,
     "sgd|momentum|adam|adamw|adafactor|lion|adam_8bit|adamw_8bit"},
    {"accumulation-steps", "N", "batches whose gradients are summed for one step (default 1)",
     "Training", modelling, ""},
    {"clip-gradients", "", "scale the gradients to a norm before the optimizer's step", "Training",
     modelling, ""},
    {"recomputation", "WHAT",
     "what the backward pass computes again instead of keeping it (default none)", "Training",
     modelling, "none|selective|full"},
    {"head", "NAME", "what stands on top of the body (default: as the config says)", "Training",
     modelling, "none|pooler|masked_lm|causal_lm|discriminator|classifier"},
    {"steps", "N", "length of the run in optimisation steps", "Run", predicting, ""},
    {"steps-per-segment",
     "N",
     "optimisation steps in each segment of a report of `measure` (default 1)",
     "Run",
     {Verb::import},
     ""},
    {"segments",
     "NAME",
     "segments of a report of `measure` whose names begin so (default: all)",
     "Run",
     {Verb::import},
     ""},
    {"epochs", "N", "length of the run in passes over --samples", "Run", predicting, ""},
    {"samples", "N", "sequences in one epoch", "Run", predicting, ""},
    {"tokens", "N", "length of the run in real tokens, e.g. 10e9", "Run", predicting, ""},
    {"evaluation-fraction", "F", "time for evaluation, as a fraction of the training time", "Run",
     predicting, ""},
    {"checkpoint-fraction", "F", "time for writing checkpoints, likewise", "Run", predicting, ""},
    {"padding-fraction", "F", "fraction of a batch's positions that hold padding", "Run",
     predicting, ""},
    {"host-power-watts", "W", "power of the host (processors, memory, disks) per GPU", "Site",
     predicting, ""},
    {"pue", "X", "power usage effectiveness of the facility, 1 or more", "Site", predicting, ""},
    {"region", "CODE", "country whose grid feeds the machine, e.g. FRA", "Site", predicting, ""},
    {"carbon-intensity", "G", "grams of CO2 equivalent per kWh, instead of --region", "Site",
     predicting, ""},
    {"price-per-kwh", "X", "price of a kilowatt-hour", "Site", predicting, ""},
    {"price-per-gpu-hour", "X", "price of an hour of one GPU", "Site", predicting, ""},
    {"currency", "CODE", "currency of the prices, e.g. EUR", "Site", predicting, ""},
    {"convention", "NAME", "ecai2025 computes as the source paper does", "Method", modelling,
     "joulecast|ecai2025"},
    {"laws",
     "DIR",
     "use the laws of this folder before the shipped ones",
     "Method",
     {Verb::predict, Verb::compare, Verb::explain, Verb::validate},
     ""},
    {"law-family",
     "NAME",
     "use laws of this family, e.g. paper, in place of those that fitted best",
     "Method",
     {Verb::predict, Verb::compare, Verb::explain, Verb::validate},
     ""},
    {"leave-out",
     "WHAT",
     "predict a measured device by other devices alone, or by other architectures",
     "Method",
     {Verb::validate},
     "device|architecture"},
    {"family", "NAME", "the family to fit, e.g. paper (default auto)", "Method", {Verb::fit}, ""},
    {"regression",
     "METHOD",
     "explain one column by others instead: ordinary least squares, ridge on standardised columns, "
     "or least squares without negative coefficients",
     "Method",
     {Verb::fit},
     "ols|ridge|nnls"},
    {"target",
     "COLUMN",
     "the column to explain; its last word is its unit, e.g. energy_joules",
     "Method",
     {Verb::fit},
     ""},
    {"features",
     "LIST",
     "the columns that explain it, with commas between",
     "Method",
     {Verb::fit},
     "",
     true},
    {"penalty", "X", "of ridge, on standardised columns (default 5)", "Method", {Verb::fit}, ""},
    {"bootstrap", "N", "resamples for the intervals (default 1000)", "Method", {Verb::fit}, ""},
    {"operation",
     "NAME",
     "what to explain: an operation, step or run (default step)",
     "Output",
     {Verb::explain},
     ""},
    {"phase",
     "NAME",
     "which phase of the operation (default forward)",
     "Output",
     {Verb::explain},
     "forward|recompute|backward_input|backward_weight|optimizer_step"},
    {"phases", "", "one row per operation and phase", "Output", {Verb::predict}, ""},
    {"statement",
     "",
     "a paragraph for a paper or model card, with BibTeX",
     "Output",
     {Verb::predict},
     ""},
    {"data",
     "DIR",
     "folder with the authors' tables, for refits and audit",
     "Output",
     {Verb::reproduce},
     ""},
    {"models",
     "DIR",
     "folder that holds the model files which a record of the campaign names",
     "Method",
     {Verb::import},
     "",
     true},
    {"held-out",
     "",
     "of a record of the campaign, only rows that are held out",
     "Method",
     {Verb::import},
     ""},
    {"software",
     "TEXT",
     "the software stack measured, e.g. \"PyTorch 2.1\"",
     "Method",
     {Verb::import},
     ""},
    {"output",
     "PATH",
     "the table to write, in CSV; of fit the folder for the laws; of measure and fit --regression "
     "the report, in the form that the ending of its name says",
     "Output",
     {Verb::import, Verb::fit, Verb::measure},
     ""},
    {"readings",
     "FILE",
     "write every reading of every device, in CSV",
     "Output",
     {Verb::measure},
     ""},
    {"plot", "FILE", "draw efficiency and predicted time, in SVG", "Output", {Verb::validate}, ""},
    {"strict", "", "treat warnings as errors (exit 1)", "Output", modelling, ""},
    {"format",
     "NAME",
     "form of the output (default text)",
     "Output",
     {Verb::predict, Verb::compare, Verb::operations, Verb::explain, Verb::models, Verb::devices,
      Verb::regions, Verb::reproduce, Verb::import, Verb::fit, Verb::validate, Verb::measure,
      Verb::watch, Verb::doctor, Verb::help},
     "text|markdown|csv|json"},
    {"config",
     "FILE",
     "read defaults from FILE instead of the usual place",
     "Output",
     {Verb::predict, Verb::compare, Verb::explain, Verb::operations, Verb::devices, Verb::import,
      Verb::fit, Verb::validate, Verb::measure, Verb::watch, Verb::doctor},
     ""},
    {"help", "", "print this help", "Output", {}, ""},
};

}  // namespace

std::span<const VerbSpec> verb_specs() { return verbs; }
std::span<const FlagSpec> flag_specs() { return flags; }

const VerbSpec* find_verb(std::string_view name) {
  const auto found = std::find_if(verbs.begin(), verbs.end(),
                                  [&](const VerbSpec& spec) { return spec.name == name; });
  return found == verbs.end() ? nullptr : &*found;
}

const VerbSpec& spec_of(Verb verb) {
  const auto found = std::find_if(verbs.begin(), verbs.end(),
                                  [&](const VerbSpec& spec) { return spec.verb == verb; });
  assert(found != verbs.end());
  return *found;
}

std::vector<const FlagSpec*> flags_of(Verb verb) {
  std::vector<const FlagSpec*> accepted;
  for (const FlagSpec& flag : flags) {
    const bool everywhere = flag.verbs.empty();
    if (everywhere || std::find(flag.verbs.begin(), flag.verbs.end(), verb) != flag.verbs.end()) {
      accepted.push_back(&flag);
    }
  }
  return accepted;
}

}  // namespace joulecast::cli
