// SPDX-License-Identifier: Apache-2.0
// The elementwise costs against a scalar that counts its own arithmetic. Each operation is written
// out once with it; gradients are checked against finite differences first, so that what is
// counted is known to be the right computation.
#include "operations/element_costs.hpp"

#include <joulecast/optimizer.hpp>

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <numbers>
#include <vector>

namespace joulecast {
namespace {

// Every arithmetic step and every function is one.
struct Counted {
  double value = 0.0;
  static inline std::int64_t steps = 0;
};

Counted count(double value) {
  ++Counted::steps;
  return {value};
}
Counted operator+(Counted a, Counted b) { return count(a.value + b.value); }
Counted operator-(Counted a, Counted b) { return count(a.value - b.value); }
Counted operator*(Counted a, Counted b) { return count(a.value * b.value); }
Counted operator/(Counted a, Counted b) { return count(a.value / b.value); }
Counted operator-(Counted a) { return count(-a.value); }
Counted max(Counted a, Counted b) { return count(std::max(a.value, b.value)); }
Counted exp(Counted a) { return count(std::exp(a.value)); }
Counted log(Counted a) { return count(std::log(a.value)); }
Counted erf(Counted a) { return count(std::erf(a.value)); }
Counted tanh(Counted a) { return count(std::tanh(a.value)); }
Counted sqrt(Counted a) { return count(std::sqrt(a.value)); }

constexpr Counted one{1.0};
constexpr Counted half{0.5};
constexpr Counted sqrt_half{std::numbers::sqrt2 / 2.0};
constexpr Counted density{std::numbers::inv_sqrtpi * std::numbers::sqrt2 / 2.0};  // 1/sqrt(2 pi)
// tanh GELU: u = sqrt(2/pi) (x + 0.044715 x^3).
constexpr double tanh_a = std::numbers::inv_sqrtpi * std::numbers::sqrt2;
constexpr Counted a{tanh_a};
constexpr Counted ab{tanh_a * 0.044715};
constexpr Counted ab3{3.0 * tanh_a * 0.044715};

constexpr Counted minus_steep{-1.702};

Counted forward(Activation activation, Counted x) {
  switch (activation) {
    case Activation::relu: return max(x, {0.0});
    case Activation::gelu: return half * x * (one + erf(x * sqrt_half));
    case Activation::gelu_tanh: return half * x * (one + tanh(x * (a + ab * (x * x))));
    case Activation::silu: return x / (one + exp(-x));
    case Activation::quick_gelu: return x / (one + exp(minus_steep * x));
    case Activation::tanh: return tanh(x);
  }
  return {};
}

// From dy and x, as only they are read; tanh alone keeps its result y instead.
Counted backward(Activation activation, Counted x, Counted y, Counted dy) {
  switch (activation) {
    case Activation::relu: return count(x.value > 0.0 ? dy.value : 0.0);
    case Activation::gelu: {
      const Counted cumulative = half * (one + erf(x * sqrt_half));
      return dy * (cumulative + x * (density * exp(Counted{-0.5} * (x * x))));
    }
    case Activation::gelu_tanh: {
      const Counted square = x * x;
      const Counted t = tanh(x * (a + ab * square));
      const Counted slope = a + ab3 * square;
      return dy * (half * ((one + t) * (one + x * slope * (one - t))));
    }
    case Activation::silu: {
      const Counted s = one / (one + exp(-x));
      return dy * (s * (one + x * (one - s)));
    }
    case Activation::quick_gelu: {
      const Counted u = minus_steep * x;
      const Counted s = one / (one + exp(u));
      return dy * (s * (one - u * (one - s)));
    }
    case Activation::tanh: return dy * (one - y * y);
  }
  return {};
}

std::int64_t steps_of(const std::function<void()>& work) {
  Counted::steps = 0;
  work();
  return Counted::steps;
}

constexpr std::array activations = {Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                    Activation::silu, Activation::tanh, Activation::quick_gelu};

TEST(ElementCosts, ActivationGradientsCountedHereAreGradients) {
  for (const Activation activation : activations) {
    for (const double x : {-2.0, -0.3, 0.7, 1.9}) {
      const double h = 1e-5;
      const double slope =
          (forward(activation, {x + h}).value - forward(activation, {x - h}).value) / (2.0 * h);
      const Counted y = forward(activation, {x});
      EXPECT_NEAR(backward(activation, {x}, y, {3.0}).value, 3.0 * slope, 1e-8)
          << to_string(activation) << " at " << x;
    }
  }
}

TEST(ElementCosts, ActivationsCostTheirSteps) {
  for (const Activation activation : activations) {
    const ElementCosts costs = activation_costs(activation);
    EXPECT_EQ(steps_of([&] { forward(activation, {0.7}); }), costs.forward.flops)
        << to_string(activation);
    EXPECT_EQ(steps_of([&] { backward(activation, {0.7}, {0.6}, {3.0}); }), costs.backward.flops)
        << to_string(activation);
  }
}

using Row = std::vector<Counted>;

Row softmax(const Row& x) {
  Counted highest{-1e300};
  for (const Counted v : x) highest = max(highest, v);
  Row y;
  Counted sum;
  for (const Counted v : x) y.push_back(exp(v - highest));
  for (const Counted v : y) sum = sum + v;
  for (Counted& v : y) v = v / sum;
  return y;
}

Row softmax_gradient(const Row& y, const Row& dy) {
  Counted sum;
  for (std::size_t i = 0; i < y.size(); ++i) sum = sum + y[i] * dy[i];
  Row dx;
  for (std::size_t i = 0; i < y.size(); ++i) dx.push_back(y[i] * (dy[i] - sum));
  return dx;
}

Row log_softmax(const Row& x) {
  Counted highest{-1e300};
  for (const Counted v : x) highest = max(highest, v);
  Counted sum;
  for (const Counted v : x) sum = sum + exp(v - highest);
  const Counted offset = highest + log(sum);
  Row y;
  for (const Counted v : x) y.push_back(v - offset);
  return y;
}

Row layer_norm(const Row& x) {
  const Counted width{static_cast<double>(x.size())};
  Counted sum;
  for (const Counted v : x) sum = sum + v;
  const Counted mean = sum / width;
  Counted squares;
  for (const Counted v : x) {
    const Counted distance = v - mean;
    squares = squares + distance * distance;
  }
  const Counted scale = one / sqrt(squares / width + Counted{1e-12});
  Row y;
  for (const Counted v : x) y.push_back((v - mean) * scale * Counted{1.5} + Counted{0.25});
  return y;
}

// Steps that an element adds: what remains is per row and vanishes beside real widths.
std::int64_t steps_per_element(const std::function<void(const Row&)>& work) {
  const Row narrow(10, Counted{0.5});
  const Row wide(11, Counted{0.5});
  return steps_of([&] { work(wide); }) - steps_of([&] { work(narrow); });
}

TEST(ElementCosts, ReductionsCostTheirStepsPerElement) {
  EXPECT_EQ(steps_per_element([](const Row& x) { softmax(x); }), softmax_costs.forward.flops);
  EXPECT_EQ(steps_per_element([](const Row& x) { softmax_gradient(x, x); }),
            softmax_costs.backward.flops);
  EXPECT_EQ(steps_per_element([](const Row& x) { layer_norm(x); }), layer_norm_costs.forward.flops);
  EXPECT_EQ(steps_per_element([](const Row& x) { log_softmax(x); }),
            cross_entropy_costs.forward.flops);
}

TEST(ElementCosts, ReductionsCountedHereAreWhatTheyClaim) {
  const Row x = {{0.3}, {-1.0}, {2.0}};
  const Row y = softmax(x);
  const Row logs = log_softmax(x);
  const double sum = std::exp(0.3) + std::exp(-1.0) + std::exp(2.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(y[i].value, std::exp(x[i].value) / sum, 1e-12);
    EXPECT_NEAR(logs[i].value, x[i].value - std::log(sum), 1e-12);
  }
  // d y_0 / d x_1 = -y_0 y_1, asked for by dy = (1, 0, 0).
  EXPECT_NEAR(softmax_gradient(y, {{1.0}, {0.0}, {0.0}})[1].value, -y[0].value * y[1].value, 1e-12);
  const Row normed = layer_norm(x);
  EXPECT_NEAR(normed[0].value + normed[1].value + normed[2].value, 0.75, 1e-9);
}

// Per parameter, with everything constant folded beforehand.
TEST(Optimizers, CostTheirSteps) {
  const Counted g{0.1}, p{1.0}, lr{0.01}, mu{0.9}, m{0.2}, v{0.3}, c{0.5};
  const auto adam = [&](Counted parameter) {
    const Counted first = mu * m + c * g;
    const Counted second = mu * v + c * (g * g);
    return parameter - lr * (first / (sqrt(second) * c + Counted{1e-8}));
  };
  const auto lion = [&] {
    const Counted update = mu * m + c * g;
    const Counted sign{update.value > 0.0 ? 1.0 : -1.0};
    m* c + mu* g;
    return p - lr * (sign + c * p);
  };
  const auto flops = [](Optimizer optimizer) {
    return count_optimizer(optimizer, {{.rows = 1}}).flops.value();
  };
  EXPECT_EQ(steps_of([&] { p - lr* g; }), flops(Optimizer::sgd));
  EXPECT_EQ(steps_of([&] { p - lr*(mu * v + g); }), flops(Optimizer::momentum));
  EXPECT_EQ(steps_of([&] { adam(p); }), flops(Optimizer::adam));
  EXPECT_EQ(steps_of([&] { adam(p * c); }), flops(Optimizer::adamw));
  // Taking the sign is one step that `Counted` has no name for.
  EXPECT_EQ(steps_of(lion) + 1, flops(Optimizer::lion));
}

}  // namespace
}  // namespace joulecast
