// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything, in the order data flows.

#include <joulecast/error.hpp>
#include <joulecast/quantities.hpp>

#include <joulecast/meter.hpp>

#include <joulecast/layers.hpp>
#include <joulecast/model.hpp>
#include <joulecast/shipped_model.hpp>
#include <joulecast/training.hpp>

#include <joulecast/operation.hpp>
#include <joulecast/optimizer.hpp>

#include <joulecast/memory.hpp>

#include <joulecast/device.hpp>
#include <joulecast/law.hpp>
#include <joulecast/measurement.hpp>

#include <joulecast/duration.hpp>

#include <joulecast/energy.hpp>
#include <joulecast/region.hpp>

#include <joulecast/explanation.hpp>
#include <joulecast/fit.hpp>
#include <joulecast/prediction.hpp>
#include <joulecast/regression.hpp>

#include <joulecast/ecai2025.hpp>
#include <joulecast/reproduction.hpp>

#include <joulecast/report.hpp>
#include <joulecast/validation.hpp>
#include <joulecast/version.hpp>
