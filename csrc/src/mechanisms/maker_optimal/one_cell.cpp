// The pieces of a book: its staircases, and the clearing of one cell.
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "book/scaled_market.hpp"
#include "book/staircase.hpp"
#include "book/units.hpp"
#include "cell/cell_solver.hpp"
#include "cell/hull.hpp"
#include "kpm/kpm.hpp"
#include "kpm/validation.hpp"
#include "mechanisms/levels.hpp"
#include "numerics/arena.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

std::vector<std::vector<Piece>> staircases(const Market& market, const Orders& orders) {
  require(validate_payoffs(market));
  require(validate(orders, market.claims));
  std::vector<std::vector<Piece>> result;
  for (const Staircase& claim : compile_staircases(market, orders)) {
    result.emplace_back();
    for (int piece = 0; piece < claim.pieces(); ++piece) {
      result.back().push_back(claim.piece(piece));
    }
  }
  return result;
}

std::vector<std::int64_t> count_pieces(const Market& market, const Orders& orders) {
  require(validate_payoffs(market));
  require(validate(orders, market.claims));
  std::vector<std::int64_t> result;
  for (const Staircase& claim : compile_staircases(market, orders)) {
    result.push_back(claim.pieces());
  }
  return result;
}

namespace {

constexpr double kRoom = 4.0;      // times what trades: how far a step that dwarfs it is searched
constexpr double kWider = 64.0;    // times that, where it was not far enough
constexpr double kVast = 1e6;      // times what counts to the maker: a unit that hides it
constexpr int kUnits = 8;          // units a cell is solved in before the whole of its steps is
constexpr double kUnseen = 1e-12;  // of the maker's own money: less than this is as good as none

/// One cell, solved in units of what can trade in it: what its flats and the ends of its steps fill
/// for certain, and the steps themselves. Where a step dwarfs what trades of it, it is searched
/// for some of its length only; that the rest is worth no more is shown by concavity, or more of it
/// is searched.
class OneCell {
 public:
  OneCell(const Market& market, const std::vector<Staircase>& stairs, const std::int64_t* cell,
          const CellSettings& settings)
      : market_(market), stairs_(stairs), cell_(cell), scaled_(market, stairs, unit()) {
    inner_.tolerance = settings.tolerance;
    inner_.max_iterations = settings.max_iterations;
    inner_.central_multipliers = false;  // they bound no other cells
  }

  /// False if no state prices reach the cell.
  bool solve();

  CellSolution solution() const;

 private:
  const Staircase& claim(int k) const {
    return stairs_[static_cast<std::size_t>(scaled_.original[static_cast<std::size_t>(k)])];
  }
  int piece(int k) const {
    return static_cast<int>(cell_[scaled_.original[static_cast<std::size_t>(k)]]);
  }

  double notional(double room) const;
  double unit() const;
  void count_in(double room);
  Piece searched(const Staircase& claim, int index) const;
  void load(Hull& hull) const;
  bool search(bool first);
  double traded() const;
  double bound_beyond(CellSolver& solver, Hull& hull);
  bool proves_the_rest() const {
    return beyond_ <= std::max(optimum_.bound, optimum_.objective + inner_.tolerance);
  }

  const Market& market_;
  const std::vector<Staircase>& stairs_;
  const std::int64_t* cell_;
  CellSolver::Settings inner_;
  double room_ = kInfinity;  // money: so far from what is filled for certain steps are searched
  ScaledMarket scaled_;
  CellOptimum optimum_{scaled_.states(), scaled_.claims()};
  CellSolver::Outcome outcome_ = CellSolver::Outcome::kStalled;
  double beyond_ = -kInfinity;  // bound of the demand that is not searched, scaled
  int iterations_ = 0;
};

/// (claims) The least demand of each piece.
std::vector<double> least_demand(const std::vector<Staircase>& stairs, const std::int64_t* cell) {
  std::vector<double> demand;
  demand.reserve(stairs.size());
  for (std::size_t k = 0; k < stairs.size(); ++k) {
    demand.push_back(stairs[k].piece(static_cast<int>(cell[k])).demand_low);
  }
  return demand;
}

/// What a piece fills whatever its demand: of a step, what is not at its limit.
double filled_for_certain(const Staircase& claim, int index) {
  const auto l = static_cast<std::size_t>(index / 2);
  return claim.bought[l + (Staircase::is_step(index) ? 1 : 0)] + claim.sold[l];
}

/// What can trade within some room on each side of a step, money; within none, what does for
/// certain.
double OneCell::notional(double room) const {
  double sum = 0.0;
  for (std::size_t k = 0; k < stairs_.size(); ++k) {
    const Staircase& claim = stairs_[k];
    const double span = claim.span();
    if (!(span > 0.0)) {
      continue;
    }
    const int index = static_cast<int>(cell_[k]);
    double quantity = filled_for_certain(claim, index);
    if (Staircase::is_step(index)) {
      const auto l = static_cast<std::size_t>(index / 2);
      quantity += std::min(claim.buy[l], room / span) + std::min(claim.sell[l], room / span);
    }
    sum += span * quantity;
  }
  return sum;
}

double OneCell::unit() const {
  const double money = notional(room_);
  return money > 0.0 ? money : own_money(market_);
}

void OneCell::count_in(double room) {
  room_ = room;
  scaled_ = ScaledMarket(market_, stairs_, unit());
}

/// A piece, of a step what is searched of it. Shares.
Piece OneCell::searched(const Staircase& claim, int index) const {
  Piece piece = claim.piece(index);
  if (Staircase::is_step(index)) {
    const auto l = static_cast<std::size_t>(index / 2);
    const double certain = claim.bought[l + 1] - claim.sold[l];
    piece.demand_low = std::max(piece.demand_low, certain - room_ / claim.span());
    piece.demand_high = std::min(piece.demand_high, certain + room_ / claim.span());
  }
  return piece;
}

void OneCell::load(Hull& hull) const {
  set_pieces(hull, [&](int k) {
    const Piece range = searched(claim(k), piece(k));
    return Piece{scaled_.price(k, range.price_low), scaled_.price(k, range.price_high),
                 scaled_.demand(k, range.demand_low), scaled_.demand(k, range.demand_high)};
  });
}

/// In the present unit. False if no state prices reach the cell.
bool OneCell::search(bool first) {
  Arena arena;
  Hull hull(scaled_.claims(), 2 * scaled_.claims(), arena);
  load(hull);
  CellSolver solver(scaled_, arena);
  if (first && !solver.reachable(hull)) {
    return false;
  }
  outcome_ = solver.solve(hull, inner_);
  optimum_ = solver.optimum();
  iterations_ += solver.iterations();
  beyond_ = bound_beyond(solver, hull);
  return true;
}

/// What trades, scaled: for certain, and of the steps.
double OneCell::traded() const {
  double sum = 0.0;
  for (int k = 0; k < scaled_.claims(); ++k) {
    const Staircase& of = claim(k);
    const int index = piece(k);
    sum += scaled_.demand(k, filled_for_certain(of, index));
    if (Staircase::is_step(index)) {
      const auto l = static_cast<std::size_t>(index / 2);
      sum += std::abs(optimum_.demand[k] - scaled_.demand(k, of.bought[l + 1] - of.sold[l]));
    }
  }
  return sum;
}

/// No demand beyond what was searched of the steps is worth more than this. On the straight way
/// there from the optimum one leaves what was searched at such an end of a step, and from there on
/// the objective rises no faster than until then.
double OneCell::bound_beyond(CellSolver& solver, Hull& hull) {
  double bound = -kInfinity;
  for (int k = 0; k < scaled_.claims() && room_ < kInfinity; ++k) {
    const Piece whole = claim(k).piece(piece(k));
    const Piece range = searched(claim(k), piece(k));
    const auto leave_at = [&](double end, double last) {
      if (end == last) {
        return;
      }
      const double from = scaled_.demand(k, end);
      hull.demand[2 * k] = hull.demand[2 * k + 1] = from;
      solver.solve(hull, inner_);
      iterations_ += solver.iterations();
      // Both figures contain the risk of what the maker holds and owes there.
      const double rounding =
          kGapRounding * (1.0 + scaled_.inventory.abs().maxCoeff() + std::abs(from));
      const double rise = solver.optimum().bound - optimum_.objective + rounding;
      const double times =
          (scaled_.demand(k, last) - optimum_.demand[k]) / (from - optimum_.demand[k]);
      const double beyond = optimum_.objective + (rise <= 0.0 ? 0.0 : rise * std::abs(times));
      bound = std::isnan(beyond) ? kInfinity : std::max(bound, beyond);
    };
    leave_at(range.demand_low, whole.demand_low);
    leave_at(range.demand_high, whole.demand_high);
    hull.demand[2 * k] = scaled_.demand(k, range.demand_low);
    hull.demand[2 * k + 1] = scaled_.demand(k, range.demand_high);
  }
  return bound;
}

bool OneCell::solve() {
  const double own = own_money(market_);
  if (const double counts = std::max(own, notional(0.0)); scaled_.scale > kVast * counts) {
    count_in(kWider * counts);
  }
  if (!search(true)) {
    return false;
  }
  int units = 1;
  for (; units < kUnits && outcome_ != CellSolver::Outcome::kIterationLimit; ++units) {
    const double stake = std::max(scaled_.scale * traded(), kUnseen * own);
    // A power of two: the stake's last digits are those of the unit before.
    const double room = std::ldexp(kRoom, std::ilogb(stake) + 1);
    if (room >= room_ || (room_ == kInfinity && scaled_.scale <= kDwarfs * stake)) {
      break;
    }
    count_in(room);
    search(false);
  }
  // In a unit that is too large a step may seem to trade less than it does; or giants do trade.
  for (; room_ < kInfinity && !proves_the_rest(); ++units) {
    count_in(units < kUnits ? kWider * room_ : kInfinity);
    search(false);
  }
  return true;
}

CellSolution OneCell::solution() const {
  CellSolution result;
  const bool optimal = outcome_ == CellSolver::Outcome::kOptimal && proves_the_rest();
  result.status = optimal ? Status::kOptimal : Status::kInaccurate;
  const Array state_prices = optimum_.state_prices.max(0.0);  // a vertex may be off by rounding
  result.state_prices = to_vector(state_prices / state_prices.sum());
  result.net_demand = least_demand(stairs_, cell_);
  for (int k = 0; k < scaled_.claims(); ++k) {
    const Piece box = claim(k).piece(piece(k));
    result.net_demand[static_cast<std::size_t>(scaled_.original[static_cast<std::size_t>(k)])] =
        std::clamp(optimum_.demand[k] * (scaled_.scale / scaled_.span[k]), box.demand_low,
                   box.demand_high);
  }
  result.certainty_equivalent = to_money(scaled_, optimum_.objective);
  result.dual_bound = to_money(scaled_, std::max(optimum_.bound, beyond_));
  result.primal_residual = optimum_.primal_residual;
  result.dual_residual = optimum_.dual_residual;
  result.iterations = iterations_;
  result.support.worst_case = to_vector(optimum_.worst_case);
  result.support.marginal_state_prices = to_vector(optimum_.marginal_state_prices);
  result.support.multipliers = original_multipliers(market_.claims, scaled_, optimum_.multipliers);
  result.support.ambiguity_price = scaled_.scale * optimum_.ambiguity_price;
  return result;
}

}  // namespace

CellSolution solve_cell(const Market& market, const Orders& orders, const std::int64_t* cell,
                        const CellSettings& settings) {
  require(validate(market, orders));
  const std::vector<Staircase> stairs = compile_staircases(market, orders);
  for (int k = 0; k < market.claims; ++k) {
    const std::int64_t piece = cell[k];
    if (piece < 0 || piece >= stairs[static_cast<std::size_t>(k)].pieces()) {
      require({Rule::kIndex, Field::kCell, k, -1, static_cast<double>(piece)});
    }
  }
  OneCell solved(market, stairs, cell, settings);
  if (solved.solve()) {
    return solved.solution();
  }
  CellSolution result;
  result.state_prices.assign(market.prior, market.prior + market.states);
  result.net_demand = least_demand(stairs, cell);
  return result;
}

}  // namespace kpm
