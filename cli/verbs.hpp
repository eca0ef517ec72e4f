// SPDX-License-Identifier: Apache-2.0
#pragma once

// One function per verb: reads its inputs, asks the library, prints. Returns the exit code.

#include "arguments.hpp"
#include "configuration.hpp"

namespace joulecast::cli {

int run_predict(const Arguments& arguments, const Configuration& configuration);
int run_compare(const Arguments& arguments, const Configuration& configuration);
int run_operations(const Arguments& arguments, const Configuration& configuration);
int run_explain(const Arguments& arguments, const Configuration& configuration);
int run_models(const Arguments& arguments);
int run_devices(const Arguments& arguments, const Configuration& configuration);
int run_regions(const Arguments& arguments);
int run_reproduce(const Arguments& arguments);
int run_fit(const Arguments& arguments, const Configuration& configuration);
int run_validate(const Arguments& arguments, const Configuration& configuration);
int run_import(const Arguments& arguments, const Configuration& configuration);
// Returns the command's own exit code.
int run_measure(const Arguments& arguments, const Configuration& configuration);
int run_watch(const Arguments& arguments, const Configuration& configuration);
// Also says what is wrong with a configuration that cannot be read.
int run_doctor(const Arguments& arguments, const Result<Configuration>& configuration);

}  // namespace joulecast::cli
