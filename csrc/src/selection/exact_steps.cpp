#include "selection/exact_steps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

#include "numerics/tolerances.hpp"
#include "selection/step_curvature.hpp"

namespace kpm {

namespace {

constexpr int kIterations = 12;
constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();  // of a claim's value
constexpr double kHidden = 1e-6;            // of a step: rounding may move its demand by so much
constexpr double kThere = 1e-3 * kStepEnd;  // of a step: Newton's next one is rounding
constexpr double kNear = 1e-10;             // of a step, claim by claim: together they are as near
constexpr double kClose = 0.1 * kStepEnd;   // of a step, by a solution's own p and g
constexpr double kLeastTilt = 1e-10;        // ambiguity price, scaled, next to a kink

/// Whether the risk has a kink there, or next to there: nothing is to be followed.
bool is_at_kink(const ScaledMarket& market, double ambiguity_price) {
  return market.kind == Ambiguity::kBall && !(ambiguity_price > kLeastTilt);
}

bool lies_inside(double demand, const StepRange& step) {
  return std::min(demand - step.low, step.high - demand) > kStepEnd * (step.high - step.low);
}

/// maximise gain.D - D'CD / 2 over a box around D = 0: by active sets.
class BoxProgram {
 public:
  BoxProgram(StepCurvature& curvature, const Array& gain, const Array& low, const Array& high,
             const Array& least)
      : curvature_(curvature),
        gain_(gain),
        low_(low),
        high_(high),
        least_(least),
        direction_(gain.size()),
        held_(static_cast<std::size_t>(gain.size()), 0),
        change_(Array::Zero(gain.size())),
        slope_(gain) {
    open_.reserve(held_.size());
  }

  const Array& solve() {
    const Eigen::Index most = 3 * gain_.size() + 8;
    for (Eigen::Index pass = 0; pass < most; ++pass) {
      if (!advance() && !release()) {
        break;
      }
    }
    return change_;
  }

 private:
  /// To the optimum of what is not held, or until an end of a range holds more; false in the former
  /// case.
  bool advance() {
    open_.clear();
    for (Eigen::Index k = 0; k < gain_.size(); ++k) {
      if (held_[static_cast<std::size_t>(k)] == 0) {
        open_.push_back(k);
      }
    }
    if (open_.empty()) {
      return false;
    }
    const auto size = static_cast<Eigen::Index>(open_.size());
    for (Eigen::Index j = 0; j < size; ++j) {
      const Eigen::Index k = open_[static_cast<std::size_t>(j)];
      direction_[j] = slope_[k];
    }
    curvature_.factor(open_);
    // What is hidden by rounding counts as redundant.
    for (Eigen::Index j = 0; j < size; ++j) {
      const Eigen::Index k = open_[static_cast<std::size_t>(j)];
      if (!(curvature_.pivot_of(j) > least_[k])) {
        held_[static_cast<std::size_t>(k)] = kOpen;
        return true;
      }
    }
    curvature_.solve_in_place(direction_.data());
    double share = 1.0;
    Eigen::Index blocking = -1;
    for (Eigen::Index j = 0; j < size; ++j) {
      const Eigen::Index k = open_[static_cast<std::size_t>(j)];
      const double end = direction_[j] > 0.0 ? high_[k] : low_[k];
      if (direction_[j] != 0.0 && std::abs(direction_[j]) * share > std::abs(end - change_[k])) {
        share = (end - change_[k]) / direction_[j];
        blocking = j;
      }
    }
    for (Eigen::Index j = 0; j < size; ++j) {
      const Eigen::Index k = open_[static_cast<std::size_t>(j)];
      change_[k] = std::clamp(change_[k] + share * direction_[j], low_[k], high_[k]);
    }
    if (blocking >= 0) {
      const Eigen::Index k = open_[static_cast<std::size_t>(blocking)];
      const bool up = direction_[blocking] > 0.0;
      change_[k] = up ? high_[k] : low_[k];
      held_[static_cast<std::size_t>(k)] = up ? kHigh : kLow;
    }
    slope_ = gain_;
    curvature_.take_product(change_, slope_);
    return blocking >= 0;
  }

  /// The end that holds most wrongly; false if none does.
  bool release() {
    double worst = kRounding;
    Eigen::Index wrong = -1;
    for (Eigen::Index k = 0; k < gain_.size(); ++k) {
      const int held = held_[static_cast<std::size_t>(k)];
      const double off = held == kHigh ? -slope_[k] : held == kLow ? slope_[k] : 0.0;
      if (off > worst) {
        worst = off;
        wrong = k;
      }
    }
    if (wrong >= 0) {
      held_[static_cast<std::size_t>(wrong)] = 0;
    }
    return wrong >= 0;
  }

  static constexpr int kLow = 1;
  static constexpr int kHigh = 2;
  static constexpr int kOpen = 3;  // hidden: neither moved nor at an end

  StepCurvature& curvature_;
  const Array &gain_, &low_, &high_, &least_;
  Array direction_;                 // of what is open
  std::vector<Eigen::Index> open_;  // what is not held
  std::vector<int> held_;
  Array change_;
  Array slope_;  // at the change
};

/// Whether the demand of each step is as good as at its optimum, by its own first and second
/// derivative.
bool are_near(const ScaledMarket& market, const std::vector<StepRange>& steps,
              const CellOptimum& solution, const Array& value) {
  const Slice& g = solution.marginal_state_prices;
  return std::all_of(steps.begin(), steps.end(), [&](const StepRange& step) {
    if (!lies_inside(solution.demand[step.claim], step)) {
      return true;
    }
    const double* const row = &market.payoffs(step.claim, 0);
    const double mean = value[step.claim];
    double variance = 0.0;
    for (Eigen::Index i = 0; i < g.size(); ++i) {
      variance += (row[i] - mean) * (row[i] - mean) * g[i];
    }
    const double most = kNear * (step.high - step.low) * market.risk_aversion * variance;
    return std::abs(step.price - mean) <= most;
  });
}

/// Whether Newton's next step from the solution, by its own p and g, is far less than counts, or
/// has no place.
bool is_settled(const ScaledMarket& market, const std::vector<StepRange>& steps,
                const CellOptimum& solution, const Array& value) {
  if (is_at_kink(market, solution.ambiguity_price) || are_near(market, steps, solution, value)) {
    return true;
  }
  std::vector<int> inside;
  inside.reserve(steps.size());
  Vector change(static_cast<Eigen::Index>(2 * steps.size()));
  double* const height = change.data() + steps.size();
  for (const StepRange& step : steps) {
    if (lies_inside(solution.demand[step.claim], step)) {
      change[static_cast<Eigen::Index>(inside.size())] = step.price - value[step.claim];
      height[inside.size()] = step.high - step.low;
      inside.push_back(step.claim);
    }
  }
  const auto size = static_cast<Eigen::Index>(inside.size());
  std::vector<Eigen::Index> all(inside.size());
  std::iota(all.begin(), all.end(), 0);
  const std::unique_ptr<StepCurvature> curvature = StepCurvature::of(market, std::move(inside));
  curvature->move_to(solution.worst_case, solution.marginal_state_prices, solution.ambiguity_price);
  curvature->factor(all);
  curvature->solve_in_place(change.data());
  for (Eigen::Index j = 0; j < size; ++j) {
    if (!(curvature->pivot_of(j) > kRounding / (kHidden * height[j])) ||
        std::abs(change[j]) > kClose * height[j]) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool settle_steps(const ScaledMarket& market, const std::vector<StepRange>& steps,
                  const CellOptimum& solution, const Array& value, RiskMeasure& measure,
                  Checkpoint& checkpoint, Array& demand) {
  const auto size = static_cast<Eigen::Index>(steps.size());
  if (size == 0 || market.kind == Ambiguity::kSimplex ||
      is_settled(market, steps, solution, value)) {
    return false;
  }
  std::vector<int> claims;
  Array price(size);
  Array least_demand(size);
  Array most_demand(size);
  for (Eigen::Index k = 0; k < size; ++k) {
    const StepRange& step = steps[static_cast<std::size_t>(k)];
    claims.push_back(step.claim);
    price[k] = step.price;
    least_demand[k] = step.low;
    most_demand[k] = step.high;
  }
  const Matrix payoffs = market.payoffs(claims, Eigen::all);
  const std::unique_ptr<StepCurvature> curvature = StepCurvature::of(market, claims);
  const Array height = most_demand - least_demand;
  const Array least = kRounding / (kHidden * height);
  Array trial = demand;
  Array loss(market.states());
  Array p(market.states());
  Array g(market.states());
  double before = 0.0;
  bool moved = false;
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    checkpoint.pass(static_cast<double>(market.states() * size * (size + 2) + size * size * size));
    market.owe(trial, loss);
    loss -= market.inventory;
    const double rho = measure.evaluate(loss);
    if (is_at_kink(market, measure.multiplier())) {
      return false;
    }
    measure.support(loss, rho, p, g);
    const double worth = (price * trial(claims)).sum() - rho;
    const double rounding = kGapRounding * (1.0 + market.inventory.maxCoeff());
    if (iteration == 0) {
      before = worth;
    } else if (!(worth >= before - rounding)) {
      return false;
    }
    const Array gain = price - (payoffs * g.matrix()).array();
    curvature->move_to(p, g, measure.multiplier());
    const Array low = least_demand - trial(claims);
    const Array high = most_demand - trial(claims);
    BoxProgram program(*curvature, gain, low, high, least);
    const Array& change = program.solve();
    const double most = (change.abs() / height).maxCoeff();
    if (iteration == 0 && !(most > kStepEnd)) {
      return false;
    }
    for (Eigen::Index k = 0; k < size; ++k) {
      double& moving = trial[claims[static_cast<std::size_t>(k)]];
      moving = std::clamp(moving + change[k], least_demand[k], most_demand[k]);
    }
    moved = true;
    if (!(most > kThere)) {
      break;
    }
  }
  demand = trial;
  return moved;
}

}  // namespace kpm
