#include "mechanisms/maker_optimal/scaled_down_clearing.hpp"

#include <algorithm>
#include <cstddef>

#include "mechanisms/levels.hpp"
#include "numerics/linear_equations.hpp"

namespace kpm {

namespace {

constexpr double kLargest = 8.0;  // times a giant's least size: what is left of the largest one

}  // namespace

std::vector<Staircase> shrink_giants(const Market& market, const std::vector<Staircase>& whole) {
  const Levels levels(market, whole);
  const double giant = levels.giant();
  const double factor = kLargest * giant / levels.largest;
  std::vector<Staircase> small;
  small.reserve(whole.size());
  for (const Staircase& claim : whole) {
    Staircase& copy = small.emplace_back(claim.copy());
    if (!(claim.span() > 0.0)) {
      continue;
    }
    const double most = giant / claim.span();
    const auto shrink = [&](double& quantity) {
      if (quantity > most) {
        quantity = std::max(factor * quantity, most);
      }
    };
    const std::size_t limits = claim.limit.size();
    for (std::size_t l = 0; l < limits; ++l) {
      shrink(copy.buy[l]);
      shrink(copy.sell[l]);
    }
    shrink(copy.bought[limits]);
    shrink(copy.sold[0]);
    copy.accumulate();
    copy.volume = copy.bought[0] + copy.sold[limits];
  }
  return small;
}

std::vector<double> enlarge(const ScaledMarket& market, const std::vector<Staircase>& whole,
                            const std::vector<Staircase>& small, const Choice& choice) {
  std::vector<double> demand(whole.size(), 0.0);
  std::vector<int> steps;
  Vector risk = Vector::Zero(market.states());  // money owed by state
  for (int k = 0; k < market.claims(); ++k) {
    const auto source = static_cast<std::size_t>(market.original[static_cast<std::size_t>(k)]);
    const int index = choice.cell[static_cast<std::size_t>(k)];
    const Piece piece = whole[source].piece(index);
    double& filled = demand[source];
    filled = piece.demand_low;
    if (Staircase::is_step(index)) {
      steps.push_back(k);
      const Piece before = small[source].piece(index);
      const double net = choice.demand[k] * (market.scale / market.span[k]);
      const double share = (net - before.demand_low) / (before.demand_high - before.demand_low);
      filled += std::clamp(share, 0.0, 1.0) * (piece.demand_high - piece.demand_low);
    }
    risk += (filled * market.span[k]) * market.payoffs.row(k).transpose();
  }
  if (steps.empty()) {
    return demand;
  }
  risk.array() -= risk.mean();
  Eigen::MatrixXd payoffs = market.payoffs(steps, Eigen::all).transpose();
  payoffs.rowwise() -= payoffs.colwise().mean().eval();
  const Vector change = least_norm_solution(payoffs, -risk);
  for (std::size_t j = 0; j < steps.size(); ++j) {
    const int k = steps[j];
    const auto source = static_cast<std::size_t>(market.original[static_cast<std::size_t>(k)]);
    const Piece piece = whole[source].piece(choice.cell[static_cast<std::size_t>(k)]);
    const double moved = change[static_cast<Eigen::Index>(j)] / market.span[k];
    demand[source] = std::clamp(demand[source] + moved, piece.demand_low, piece.demand_high);
  }
  return demand;
}

}  // namespace kpm
