// SPDX-License-Identifier: Apache-2.0
#pragma once

// The least-squares problem behind fitting/power_fit.hpp: which parameters of a power law come
// closest to rows of board power, and how closely do the rows fix them?
//
// The parameters are shares of the power limit: P_on, P_occ, e_flop at the peak rate and e_byte at
// full bandwidth, then f and s of the limit (joulecast/power_law.hpp).

#include "fitting/family_fit.hpp"
#include "fitting/levenberg_marquardt.hpp"

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace joulecast {

inline constexpr Eigen::Index power_demand_terms = 4;  // the first of the parameters
inline constexpr Eigen::Index power_fraction_place = 4;
inline constexpr Eigen::Index power_sharpness_place = 5;
inline constexpr Eigen::Index power_parameter_count = 6;
using PowerShares = Eigen::Matrix<double, power_parameter_count, 1>;

struct PowerParameter {
  std::string_view name;
  double lowest;
  double highest;
  std::array<double, 4> starts;
};

// The lowest e_byte is, on an H200, half of what HBM2 alone takes (3.92 pJ/bit: O'Connor et al.
// 2017, DOI 10.1145/3123939.3124545). The starts put the load on work, traffic, occupancy or a
// constant.
inline constexpr std::array<PowerParameter, power_parameter_count> power_parameters = {{
    {"active_watts", 1e-3, 0.3, {0.1, 0.05, 0.05, 0.25}},
    {"occupancy_watts", 1e-3, 0.6, {0.05, 0.1, 0.4, 0.1}},
    {"joules_per_flop", 0.1, 2.0, {0.9, 0.4, 0.4, 0.2}},
    {"joules_per_byte", 0.1, 1.0, {0.3, 0.6, 0.15, 0.2}},
    {"limit_fraction", 0.95, 1.0, {0.983, 0.983, 0.983, 0.983}},
    {"sharpness", 2.0, 40.0, {12.0, 8.0, 20.0, 20.0}},
}};

struct PowerRow {
  std::array<double, power_demand_terms> watts_per_share{};  // of each term of the demand
  double limit = 0.0;
  double log_watts = 0.0;  // ln of the measured power
  double weight = 1.0;
};

// ln P of a row, and its derivatives by the ln of each parameter.
double log_power(const PowerRow& row, double idle_watts, const PowerShares& shares,
                 PowerShares& slopes);

struct PowerMinimum {
  PowerShares shares = PowerShares::Ones();
  double loss = std::numeric_limits<double>::infinity();  // mean over the rows
  LevenbergMarquardtSummary summary{};
};

class PowerProblem {
 public:
  PowerProblem(std::vector<PowerRow> rows, double idle_watts, double huber_width);
  PowerProblem(const PowerProblem&) = delete;
  PowerProblem& operator=(const PowerProblem&) = delete;

  [[nodiscard]] PowerMinimum minimize(const PowerShares& start, int iterations) const;

  // 95 % of a bootstrap that takes one Gauss-Newton step per resample, as in
  // fitting/family_fit.cpp. Resamples know the scatter of these rows, which may be none where all
  // sit at the limit, so an interval is at least what labels that are off by 1 % would leave.
  [[nodiscard]] std::array<ParameterInterval, power_parameter_count> intervals(
      const PowerMinimum& minimum, int resamples) const;

 private:
  void evaluate(const Eigen::VectorXd& logarithms, Eigen::VectorXd& residuals,
                Eigen::MatrixXd& jacobian) const;
  [[nodiscard]] Eigen::VectorXd draw_counts(std::uint64_t& state) const;

  std::vector<PowerRow> rows_;
  double idle_watts_;
  double huber_width_;
  LeastSquaresProblem problem_;
};

}  // namespace joulecast
