// One cell (27): by the simplex method where that is enough, else by the price and the demand
// program.
#pragma once

#include <cstdint>
#include <optional>

#include "cell/cell_optimum.hpp"
#include "cell/demand_program.hpp"
#include "cell/hull.hpp"
#include "cell/price_program.hpp"
#include "cell/step_search.hpp"
#include "numerics/checkpoint.hpp"
#include "prices/checked_simplex.hpp"
#include "prices/disjoint_ranges.hpp"
#include "prices/information_projection.hpp"
#include "risk/dual_bound.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

/// Solves, in scaled units, one cell:
///     maximise   sum_k pi_k y_k - rho(P'y - w)
///     subject to (pi_k, y_k) on the piece of claim k,  pi = P xi,  xi on the simplex.
/// On a flat only the price is free, on a step only the demand: revenue is linear and the cell
/// separates into a linear program for the prices and a convex one for the demand, each with its
/// own step lengths, centring and stopping test. Infeasible start: the prior satisfies everything
/// but the claims' price ranges. All products start centred, weighted by the prior, so that
/// splitting a state changes nothing. For the prices the simplex method, or sums where claims are
/// disjoint, is tried first: its answer is used if its multipliers are the only optimal ones, or if
/// any optimal ones suffice. A strictly feasible price vector need not exist (prices that add up to
/// exactly one): if rounding then stops the interior-point method, the first answer is used.
///
/// All memory is taken by the constructor and by the first cell that needs a PriceProgram, a
/// DemandProgram or an InformationProjection.
class CellSolver {
 public:
  struct Settings {
    double tolerance = 1e-11;  ///< gap and residuals, scaled money; never finer than rounding
    int max_iterations = 100;
    bool central_multipliers = true;  ///< of several as good, those that bound other cells better
    bool rough = false;  ///< for a heuristic: what doubles do not settle counts as out of reach
  };

  enum class Outcome : std::uint8_t { kOptimal, kIterationLimit, kStalled };

  /// `checkpoint`, if any, is passed at each iteration and pivot.
  CellSolver(const ScaledMarket& market, Arena& arena, Checkpoint* checkpoint = nullptr);

  /// Whether any state prices reach the cell, to within kSimplexTolerance. A solve() of the
  /// same cell right after it goes on from there.
  bool reachable(const Hull& hull);

  /// Whether a maker who does not trade in the cell has no reason to, at a kink: one of the
  /// distributions within the ambiguity values every claim within its price range. A solve() of
  /// the same cell right after it goes on from there.
  bool no_trade_supported(const Hull& hull);

  /// Whatever the outcome, the answer is the best point seen, with a bound that holds.
  Outcome solve(const Hull& hull, const Settings& settings);

  // Valid after solve().
  const CellOptimum& optimum() const { return optimum_; }
  /// The optimum's (g, p, lambda), with what they bound.
  const Multipliers& multipliers() const { return multipliers_; }
  int iterations() const { return iterations_; }

 private:
  void pass() const;
  enum class Vertex : std::uint8_t { kNone, kDegenerate, kRegular };

  /// What the questions have found of a cell is not for the next one, even if this is abandoned.
  struct Forget {
    CellSolver& solver;
    ~Forget() {
      solver.reached_ = false;
      solver.idle_ = nullptr;
      solver.never_idle_ = false;
    }
  };

  void load_steps(const Hull& hull);
  bool has_steps() const { return program_ && !program_->empty(); }
  /// Made for the first cell that has a step.
  DemandProgram& program() { return program_ ? *program_ : program_.emplace(market_, arena_); }
  /// The largest loss on the cell's flats.
  double magnitude() const {
    return program_ ? program_->magnitude() : market_.inventory.abs().maxCoeff();
  }
  bool settle_without_trade(const Hull& hull);
  Vertex settle_at_vertex(const Hull& hull);
  void settle_prices(const Hull& hull, const Settings& settings, int& iterations);
  void finish(const Hull& hull, double tolerance);
  void support_optimum();
  void support_demand(double rho);
  void support_kink(const Hull& hull);
  void search_step(const Hull& hull, double revenue);
  template <class Counts>
  const Slice* project_on_ranges(const Hull& hull, double margin, Counts&& counts);
  double bound(const Hull& hull);
  double bound_by(Multipliers& support, double divergence, const Hull& hull) const;

  const ScaledMarket& market_;
  Arena& arena_;
  Checkpoint* checkpoint_;
  std::optional<PriceProgram> prices_;
  std::optional<DemandProgram> program_;
  std::optional<CheckedSimplex> simplex_;  // one of these: the sums where claims pay on
  std::optional<DisjointRanges> sums_;     // disjoint sets of states
  std::optional<InformationProjection> projection_;
  RiskMeasure measure_;
  std::optional<StepSearch> step_search_;

  Slice loss_;                   // (states)
  Slice flat_demand_;            // (claims): the simplex's objective
  bool reached_ = false;         // the simplex method is at prices that reach the cell
  const Slice* idle_ = nullptr;  // what supports the cell to be solved without trade, if known
  bool never_idle_ = false;      // nothing does, although nothing trades in it
  CellOptimum optimum_;
  Multipliers multipliers_;  // of its bound,
  Multipliers tried_;        // and others that may be better
  int iterations_ = 0;
};

}  // namespace kpm
