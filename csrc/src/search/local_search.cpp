#include "search/local_search.hpp"

#include <algorithm>
#include <cmath>

#include "book/staircase.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kRounds = 20;
constexpr double kImprovement = 1e-13;
constexpr double kKept = 0.5;  // of what moves promise

}  // namespace

void sort_by_priority(std::vector<CellMove>& moves) {
  std::stable_sort(moves.begin(), moves.end(),
                   [](const CellMove& a, const CellMove& b) { return a.priority > b.priority; });
}

LocalSearch::LocalSearch(const ScaledMarket& market, const std::vector<Corners>& corners,
                         Arena& arena, Checkpoint& checkpoint)
    : market_(market),
      corners_(corners),
      solver_(market, arena, &checkpoint),
      ranges_(market, arena, &checkpoint),
      hull_(market.claims(), 2 * market.claims(), arena) {
  moves_.reserve(static_cast<std::size_t>(market.claims()));
}

double LocalSearch::solve(const std::vector<int>& cell, std::vector<Candidate>& found, bool rough) {
  if (cell == solved_ && (rough || !rough_)) {  // a precise answer is one for a rough question
    return value_;
  }
  forget();  // no optimum until the cell is solved: it may be abandoned
  moves_known_ = false;
  value_ = -kInfinity;
  set_cell(hull_, corners_, cell);
  CellSolver::Settings settings;
  settings.tolerance = kCandidateTolerance;
  settings.central_multipliers = false;
  settings.rough = rough;
  solver_.solve(hull_, settings);
  solved_ = cell;
  rough_ = rough;
  ++cells_;
  iterations_ += solver_.iterations();
  if (!(solver_.optimum().primal_residual <= kPriceTolerance)) {
    return value_;
  }
  value_ = solver_.optimum().objective;
  found.push_back({value_, cell, std::make_shared<const CellOptimum>(solver_.optimum())});
  return value_;
}

bool LocalSearch::no_trade_supported(const std::vector<int>& cell) {
  set_cell(hull_, corners_, cell);
  return solver_.no_trade_supported(hull_);
}

double LocalSearch::climb(std::vector<int> cell, std::vector<CellMove>& moves,
                          const Multipliers& multipliers, std::vector<Candidate>& found) {
  apply_moves(cell, moves);
  double best = solve(cell, found);
  for (int round = 0; round < kRounds; ++round) {
    if (!next_cell(cell) || multipliers.bound(corners_, {cell, cell}) <= best + kImprovement) {
      break;
    }
    const double value = solve(cell, found);
    if (value <= best + kImprovement) {
      break;
    }
    best = value;
  }
  return best;
}

double LocalSearch::climb_once(std::vector<Candidate>& found) {
  std::vector<int> cell;
  return next_cell(cell) ? solve(cell, found) : -kInfinity;
}

bool LocalSearch::next_cell(std::vector<int>& cell) {
  cell = solved_;
  find_moves();
  return apply_moves(cell, moves_);
}

bool LocalSearch::promising() {
  find_moves();
  const Slice& g = solver_.optimum().marginal_state_prices;
  double promised = 0.0;
  double kept = 0.0;
  for (const CellMove& move : moves_) {
    const auto at = static_cast<std::size_t>(move.claim);
    const auto step =
        static_cast<std::size_t>(Staircase::is_step(move.piece) ? move.piece : solved_[at]);
    const double width = corners_[at].demand[step] - corners_[at].demand[step + 1];
    const auto payoff = market_.payoffs.row(move.claim).transpose().array();
    const double variance = (g * (payoff - (g * payoff).sum()).square()).sum();
    // Of a gain of priority / width a share, less and less, as far as the curvature lets it.
    const double all = market_.risk_aversion * variance * width * width;
    const double share = all > move.priority ? move.priority / all : 1.0;
    promised += move.priority;
    kept += share * (move.priority - 0.5 * share * all);
  }
  return kept >= kKept * promised;
}

void LocalSearch::find_moves() {
  if (moves_known_) {
    return;
  }
  moves_known_ = true;
  moves_.clear();
  for (int k = 0; k < market_.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const Corners& corners = corners_[at];
    const int piece = solved_[at];
    const auto corner = static_cast<std::size_t>(piece);
    const double value =
        market_.payoffs.row(k).dot(solver_.optimum().marginal_state_prices.matrix());
    const auto width = [&](int step) {
      const auto c = static_cast<std::size_t>(step);
      return corners.demand[c] - corners.demand[c + 1];
    };
    if (!Staircase::is_step(piece)) {
      const double above = value - corners.price[corner + 1];
      const double below = corners.price[corner] - value;
      if (above > 0.0 && piece + 1 < corners.pieces()) {
        moves_.push_back({k, piece + 1, above * width(piece + 1)});
      } else if (below > 0.0 && piece > 0) {
        moves_.push_back({k, piece - 1, below * width(piece - 1)});
      }
      continue;
    }
    const double pull = value - corners.price[corner];
    const double slack = kRoughStepEnd * width(piece);
    if (pull > 0.0 && solver_.optimum().demand[k] <= corners.demand[corner + 1] + slack) {
      moves_.push_back({k, piece + 1, pull * width(piece)});
    } else if (pull < 0.0 && solver_.optimum().demand[k] >= corners.demand[corner] - slack) {
      moves_.push_back({k, piece - 1, -pull * width(piece)});
    }
  }
}

bool LocalSearch::apply_moves(std::vector<int>& cell, std::vector<CellMove>& moves) {
  if (moves.empty()) {
    return false;
  }
  sort_by_priority(moves);
  ranges_.reset();
  ranges_.set_ranges(corners_, cell);
  bool moved = false;
  for (const CellMove& move : moves) {
    const auto claim = static_cast<std::size_t>(move.claim);
    int& piece = cell[claim];
    ranges_.set_range(move.claim, corners_[claim], move.piece, move.piece);
    if (ranges_.feasible()) {
      piece = move.piece;
      moved = true;
    } else {
      ranges_.set_range(move.claim, corners_[claim], piece, piece);
    }
  }
  return moved;
}

}  // namespace kpm
