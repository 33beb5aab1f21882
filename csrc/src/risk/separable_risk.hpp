// The risk of disjoint claims as a sum over claims.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "book/corners.hpp"
#include "book/scaled_market.hpp"
#include "numerics/arena.hpp"

namespace kpm {

/// A risk r and a price of ambiguity nu.
using RiskPoint = std::array<double, 2>;

struct RiskRectangle {
  RiskPoint low{}, high{};

  double half(std::size_t side) const { return 0.5 * (high[side] - low[side]); }
  double middle(std::size_t side) const { return 0.5 * (high[side] + low[side]); }
  /// The most of slope * (r, nu) over the rectangle, from a point on.
  double most(const RiskPoint& from, const RiskPoint& slope) const {
    double sum = 0.0;
    for (std::size_t side = 0; side < from.size(); ++side) {
      sum +=
          std::max(slope[side] * (low[side] - from[side]), slope[side] * (high[side] - from[side]));
    }
    return sum;
  }
};

/// With W_i = (e^(a (L_i - r)) - 1) / a, the risk of losses L at an ambiguity Omega > 0 is
///     rho(L)  =  min over r and nu >= 0 of  r - nu + sum_i q_i nu e^(Omega + W_i / nu),
/// convex in (L, r, nu) together. Its minimum is at r = rho(L) and nu = d rho / d Omega. For given
/// r and nu it is a sum over states, and of claims on disjoint sets of states one over claims.
class SeparableRisk {
 public:
  /// A claim's part of the sum, and its derivatives.
  struct Part {
    double value = 0.0;
    RiskPoint by_point{};
    double by_demand = 0.0;
    double bend = 0.0;  ///< the second by demand
  };

  /// Of disjoint claims and a ball.
  explicit SeparableRisk(const ScaledMarket& market);

  /// What follows is at this point.
  void move_to(const RiskPoint& point) { point_ = point; }
  const RiskPoint& point() const { return point_; }

  Part of(int claim, double demand) const;
  /// Of the states in which no claim pays.
  Part of_others() const { return of(claims_, 0.0); }

  /// The demand for a claim at which its part grows by `slope` > 0, or nearly.
  double demand_at(int claim, double slope) const;

  /// Where r and nu are at their minimum for any demand in a box.
  RiskRectangle domain(const std::vector<Corners>& corners, const Box& box) const;

 private:
  Span<const int> states_of(int claim) const {
    const auto k = static_cast<std::size_t>(claim);
    return {states_.data() + begin_[k], static_cast<Eigen::Index>(begin_[k + 1] - begin_[k])};
  }

  const ScaledMarket& market_;
  int claims_;
  std::vector<int> states_;         // one claim after the other, then the others
  std::vector<std::size_t> begin_;  // (claims + 2)
  double weight_;                   // e^Omega
  RiskPoint point_{};
};

}  // namespace kpm
