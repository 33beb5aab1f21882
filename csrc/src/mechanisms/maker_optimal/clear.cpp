// The public functions: compile the book once, solve, translate the answer back once.
#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "book/canonical_order.hpp"
#include "book/presolve.hpp"
#include "book/traded_market.hpp"
#include "book/units.hpp"
#include "kpm/kpm.hpp"
#include "kpm/looks.hpp"
#include "kpm/validation.hpp"
#include "mechanisms/competitive/equilibrium.hpp"
#include "mechanisms/maker_optimal/cell_bound.hpp"
#include "mechanisms/maker_optimal/certificate.hpp"
#include "mechanisms/maker_optimal/clear_compiled.hpp"
#include "mechanisms/maker_optimal/limits.hpp"
#include "mechanisms/maker_optimal/publication.hpp"
#include "mechanisms/maker_optimal/rehearsal.hpp"
#include "mechanisms/maker_optimal/riskless_trade.hpp"
#include "mechanisms/maker_optimal/stakes.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"
#include "search/enumeration/cell_search.hpp"
#include "search/tree/branch_and_bound.hpp"
#include "selection/selection.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Cells whose certainty equivalents differ by less than this share of the tolerance are looked at
// more closely before one is chosen.
constexpr double kTieShare = 0.25;

}  // namespace

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
  const ScaledMarket scaled(market, stairs);
  CellSolution result;
  result.state_prices.assign(market.prior, market.prior + market.states);
  result.net_demand.assign(static_cast<std::size_t>(market.claims), 0.0);
  for (int k = 0; k < market.claims; ++k) {
    const auto at = static_cast<std::size_t>(k);
    result.net_demand[at] = stairs[at].piece(static_cast<int>(cell[k])).demand_low;
  }

  std::vector<int> active;
  active.reserve(scaled.original.size());
  for (const int source : scaled.original) {
    active.push_back(static_cast<int>(cell[source]));
  }
  Arena arena;
  Hull hull(scaled.claims(), 2 * scaled.claims(), arena);
  set_cell(hull, scaled, stairs, active.data());
  CellSolver solver(scaled, arena);
  if (!solver.reachable(hull)) {
    result.status = Status::kInfeasible;
    return result;
  }
  CellSolver::Settings inner;
  inner.tolerance = settings.tolerance;
  inner.max_iterations = settings.max_iterations;
  inner.central_multipliers = false;  // nobody bounds other cells with them
  const auto outcome = solver.solve(hull, inner);
  const CellOptimum& optimum = solver.optimum();
  result.status = outcome == CellSolver::Outcome::kOptimal ? Status::kOptimal : Status::kInaccurate;
  const Array state_prices = optimum.state_prices.max(0.0);  // a vertex may be off by rounding
  result.state_prices = to_vector(state_prices / state_prices.sum());
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    const Piece box = stairs[source].piece(active[static_cast<std::size_t>(k)]);
    result.net_demand[source] = std::clamp(optimum.demand[k] * (scaled.scale / scaled.span[k]),
                                           box.demand_low, box.demand_high);
  }
  result.certainty_equivalent = to_money(scaled, optimum.objective);
  result.dual_bound = to_money(scaled, optimum.bound);
  result.primal_residual = optimum.primal_residual;
  result.dual_residual = optimum.dual_residual;
  result.iterations = solver.iterations();
  result.support.worst_case = to_vector(optimum.worst_case);
  result.support.marginal_state_prices = to_vector(optimum.marginal_state_prices);
  result.support.multipliers = original_multipliers(market.claims, scaled, optimum.multipliers);
  result.support.ambiguity_price = scaled.scale * optimum.ambiguity_price;
  return result;
}

namespace {

using Report = std::function<void(const Progress&)>;
using Judge = std::function<bool(double)>;

/// What a search found, whichever it was.
struct Found {
  Status status = Status::kOptimal;
  std::vector<Candidate> candidates;
  std::vector<Candidate> reserve;
  double upper_bound = kInfinity;
  Progress progress;
  std::int64_t iterations = 0;
  int threads = 1;
  bool coarse = false;  ///< the unit of money is too large; there is a smaller one
};

Found enumerate(const ScaledMarket& scaled, const std::vector<Staircase>& stairs,
                const Stakes& stakes, double cells, const ClearSettings& settings, StopToken& token,
                const Report& report, const Judge& too_coarse) {
  const CellGrid grid(scaled, stairs);
  // Cells that differ in claims outside the search only are one to it.
  const double copies = cells / grid.cells_below(0);
  const auto all_cells = [copies](Progress progress) {
    progress.pruned_infeasible *= copies;
    progress.pruned_bound +=
        (static_cast<double>(progress.solved) + progress.pruned_bound) * (copies - 1.0);
    return progress;
  };
  SearchSettings search;
  search.tolerance = settings.tolerance * std::min(1.0, stakes.floor());
  search.tie = std::max(kTieShare * search.tolerance, kTie);
  search.threads = settings.threads;
  search.thread_delay = settings.thread_delay;
  search.prune_bound = settings.prune_bound;
  search.token = &token;
  search.report = [&](const Progress& progress) { report(all_cells(progress)); };
  SearchResult result = search_cells(grid, search);
  // A limit may strike when the last cell is done: what is proven is optimal all the same.
  const Progress& done = result.progress;
  const double counted =
      static_cast<double>(done.solved) + done.pruned_infeasible + done.pruned_bound;
  if (counted == grid.cells_below(0) && result.upper_bound <= result.value + search.tolerance) {
    result.status = Status::kOptimal;
  }
  double stake = 0.0;
  for (const Candidate& candidate : result.candidates) {
    const Array none;
    stake = std::max(
        stake, stakes.of(candidate.cell, candidate.optimum ? candidate.optimum->demand : none));
  }
  return {result.status,
          std::move(result.candidates),
          {},
          result.upper_bound,
          all_cells(result.progress),
          result.iterations,
          result.threads,
          stake > 0.0 && !token.stopped() && too_coarse && too_coarse(stake)};
}

/// A clearing of the presolved book, of the full one.
std::shared_ptr<const CellOptimum> restore(const Presolve& book, const ScaledMarket& scaled,
                                           const std::vector<Staircase>& stairs,
                                           const Candidate& candidate) {
  std::vector<Piece> pieces;
  pieces.reserve(candidate.cell.size());
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto at = static_cast<std::size_t>(k);
    const auto source = static_cast<std::size_t>(scaled.original[at]);
    Piece piece = stairs[source].piece(candidate.cell[at]);
    piece.demand_low = scaled.demand(k, piece.demand_low);
    piece.demand_high = scaled.demand(k, piece.demand_high);
    pieces.push_back(piece);
  }
  auto optimum = std::make_shared<CellOptimum>(*candidate.optimum);
  optimum->demand = book.restore_demand(optimum->demand, pieces);
  optimum->multipliers = book.restore_multipliers(optimum->multipliers);
  return optimum;
}

Found prove(const Market& market, const TradedMarket& traded, const std::vector<Staircase>& whole,
            const TradableBook* tradable, const Stakes& stakes, const ClearSettings& settings,
            StopToken& token, const Report& report, const Judge& too_coarse,
            const std::vector<double>& riskless, Certificate& certificate) {
  const std::vector<Staircase>& stairs = tradable != nullptr ? tradable->stairs : whole;
  const ScaledMarket& scaled = traded.market();
  const Presolve book(scaled, stairs, settings.presolve);
  TreeSettings search;
  search.tolerance = settings.tolerance;
  search.threads = settings.threads;
  search.thread_delay = settings.thread_delay;
  search.node_limit = settings.node_limit;
  search.keep_leaves = settings.certificate;
  search.token = &token;
  search.report = report;
  search.stake = [&](const Candidate& candidate) {
    const Array none;
    return stakes.of(book.restore(candidate.cell),
                     candidate.optimum ? candidate.optimum->demand : none);
  };
  search.too_coarse = too_coarse;
  TreeResult result = branch_and_bound(book.market(), book.corners(), search);
  if (settings.certificate && !result.coarse) {
    certificate = certify(market, traded, book, whole, tradable, riskless, result.leaves);
  }
  for (auto* const found : {&result.candidates, &result.reserve}) {
    for (Candidate& candidate : *found) {
      candidate.cell = book.restore(candidate.cell);
      if (!book.same_claims() && candidate.optimum) {
        candidate.optimum = restore(book, scaled, stairs, candidate);
        candidate.solved = false;  // the members of a group have not been told apart
      }
    }
  }
  return {result.status,
          std::move(result.candidates),
          std::move(result.reserve),
          result.upper_bound,
          result.progress,
          result.iterations,
          result.threads,
          result.coarse};
}

/// Money is counted in units of what could trade in the book that is searched.
struct Unit {
  std::optional<TradableBook> book;  ///< of a smaller one, if a search has found that to be needed
  CountedBook counted;     ///< the whole book as its demand is counted; empty: from nothing
  bool rehearsal = false;  ///< counted.stairs are those of giants made small
  bool rehearsed = false;

  void count_from(std::optional<CountedBook>&& found) {
    counted = found ? std::move(*found) : CountedBook{};
    if (!counted.riskless.empty()) {
      book = std::move(counted.tradable);
    }
  }
  int tried = 0;
  double seconds_compile = 0.0;
};

// So many tolerances what supports the point may leave open of its own cell: the search proves it
// by other multipliers, but who reads these must not find them wrong.
constexpr double kSupportSlack = 10.0;

constexpr double kLastDigit = std::numeric_limits<double>::epsilon();

constexpr int kUnits = 3;              // searches with ever smaller units of money, at most
constexpr double kSmaller = 1 / 64.0;  // of the unit: what another search is worth

// Times what the maker's payoff changes by: a notional that he takes no part in.
constexpr double kVast = 4096.0;

/// Empty if so little trades that another search must tell it from rounding, that of `unit.book`.
std::optional<Clearing> clear_once(const CanonicalBook& book, const Orders& orders,
                                   Clock::time_point start, const ClearSettings& settings,
                                   Limits& limits, Unit& unit) {
  const Market& market = book.market();
  const std::vector<Staircase>& whole =
      unit.counted.stairs.empty() ? book.stairs() : unit.counted.stairs;
  StopToken& token = limits.token();
  std::optional<TradableBook> tradable = std::exchange(unit.book, std::nullopt);
  if (!tradable && has_giants(market, whole)) {
    tradable = tradable_book(market, whole, token);
    if (!tradable && !unit.rehearsed) {
      unit.counted.stairs = shrink_giants(market, whole);
      unit.rehearsal = unit.rehearsed = true;
      unit.tried = 0;
      return std::nullopt;
    }
  }
  const std::vector<Staircase>& stairs = tradable ? tradable->stairs : whole;
  const std::vector<Staircase>& seen =
      tradable && !tradable->netted.empty() ? tradable->netted : whole;
  const TradedMarket traded(ScaledMarket(market, stairs), stairs);
  const ScaledMarket& scaled = traded.market();
  if (tradable) {
    tradable->merge(traded);
  }
  const Stakes stakes(market, scaled, stairs);
  Clearing clearing;
  double cells = 1.0;
  for (const Staircase& claim : stairs) {
    clearing.pieces.push_back(claim.pieces());
    cells *= claim.pieces();
  }
  if (unit.tried == 1) {
    unit.seconds_compile = seconds_since(start);
  }
  clearing.seconds_compile = unit.seconds_compile;

  const auto in_money = [&](Progress progress) {
    progress.elapsed = seconds_since(start);
    progress.cells = cells;
    progress.certainty_equivalent = to_money(scaled, progress.certainty_equivalent);
    progress.upper_bound = to_money(scaled, progress.upper_bound);
    progress.root_bound = to_money(scaled, progress.root_bound);
    return progress;
  };
  const Report report = [&](const Progress& progress) { limits.report(in_money(progress)); };
  // Cells are solved to a gap that must tell something of what is at stake.
  const double least_stake = kCandidateTolerance / settings.tolerance;
  const Judge too_coarse = [&](double stake) {
    if (stake >= least_stake || unit.tried >= kUnits || unit.rehearsal) {
      return false;
    }
    std::optional<TradableBook> cut = tradable_book(market, whole, token, scaled.scale * stake);
    if (!cut || cut->notional() > kSmaller * scaled.scale) {
      return false;
    }
    unit.book = std::move(cut);
    return true;
  };
  Found found = settings.method == Method::kEnumerate
                    ? enumerate(scaled, stairs, stakes, cells, settings, token, report, too_coarse)
                    : prove(market, traded, seen, tradable ? &*tradable : nullptr, stakes, settings,
                            token, report, too_coarse, unit.counted.riskless, clearing.certificate);
  if (found.coarse) {
    return std::nullopt;
  }
  if (found.status == Status::kInterrupted) {
    found.status = limits.status();
  }
  clearing.seconds_search = seconds_since(start) - clearing.seconds_compile;

  if (settings.looks != nullptr) {
    settings.looks->search = settings.looks->count;
  }
  limits.begin_selection();
  Selection selection(scaled, stairs, token, [&] { return find_equilibrium(scaled, stairs); });
  Choice choice = selection.choose(found.candidates, found.reserve);
  if (unit.rehearsal) {
    const std::vector<double> demand = enlarge(scaled, book.stairs(), whole, choice);
    unit.rehearsal = false;
    unit.tried = 0;
    unit.count_from(count_from_riskless(market, book.stairs(), demand, token));
    return std::nullopt;
  }
  if (tradable) {
    const Box cell{choice.cell, choice.cell};
    WholeBook(scaled, seen, *tradable)
        .support(cell, choice.worst_case, choice.marginal_state_prices, choice.multipliers);
  }
  choice.state_prices = traded.restore(std::move(choice.state_prices));
  const Published published =
      publish(market, orders, book.places(), {book.stairs(), seen, unit.counted.riskless}, scaled,
              choice, settings.allocation, clearing);
  clearing.scale = published.scale;
  if (!(clearing.scale > 0.0)) {
    clearing.scale = Levels(market, whole).smaller_half();
  }

  Arena arena;
  RiskMeasure measure(scaled, arena);
  const double value = value_of(scaled, clearing, measure);
  // The measure's: near a kink the cell's solution knows its value, but hardly the slope.
  clearing.support.ambiguity_price = scaled.scale * measure.multiplier();
  clearing.support.worst_case = to_vector(traded.restore(choice.worst_case));
  clearing.support.marginal_state_prices = to_vector(traded.restore(choice.marginal_state_prices));
  clearing.support.multipliers = original_multipliers(market.claims, scaled, choice.multipliers);
  if (scaled.kind == Ambiguity::kNone) {
    // The first nat costs infinitely much per nat, unless all states are alike to the maker.
    const auto [least, most] = std::minmax_element(clearing.payoff.begin(), clearing.payoff.end());
    clearing.support.ambiguity_price = *least < *most ? kInfinity : 0.0;
  }
  // A payoff that does not change is worth the same; and no clearing is below no trade (theorem A)
  // but by the rounding of its own figures.
  const double no_trade = -measure.evaluate(-scaled.inventory);
  const double rounding = kGapRounding * (1.0 + scaled.inventory.abs().maxCoeff());
  const double net = with_maker(seen, clearing);
  const double of_figures = kGapRounding * (net / scaled.scale + scaled.inventory.abs().maxCoeff());
  const bool as_good = !published.moves || (value < no_trade && value >= no_trade - of_figures);
  clearing.no_trade_equivalent = to_money(scaled, no_trade);
  clearing.certainty_equivalent = to_money(scaled, as_good ? no_trade : value);
  clearing.upper_bound =
      std::max(to_money(scaled, found.upper_bound), clearing.certainty_equivalent);
  for (const double bound : clearing.certificate.bound) {
    clearing.upper_bound = std::max(clearing.upper_bound, bound);
  }
  if (std::none_of(stairs.begin(), stairs.end(),
                   [](const Staircase& claim) { return claim.has_net_demand(); })) {
    // Nothing can trade: there is one clearing, and what bounds it, and every leaf, is its own
    // worth.
    clearing.upper_bound = clearing.certainty_equivalent;
    for (double& bound : clearing.certificate.bound) {
      bound = std::min(bound, clearing.certainty_equivalent);
    }
  }

  // Judged by the figures that are handed out: what rounding leaves between them counts. Not a NaN.
  const double gap = clearing.upper_bound - clearing.certainty_equivalent;
  const bool hidden = net > kVast * moved_by(market, clearing) && has_giants(market, whole);
  // What giants trade with each other is no measure of what the others may lose.
  const double stake = hidden || !unit.counted.riskless.empty()
                           ? std::min(clearing.scale, Levels(market, book.stairs()).giant())
                           : clearing.scale;
  const double wanted = settings.tolerance * stake;
  const double beyond = cell_bound(scaled, seen, choice) - value - rounding;
  const bool supported = scaled.scale * beyond <= kSupportSlack * wanted;
  const bool proven = gap <= wanted && choice.nearest && supported;
  // An enumeration is its count of cells: one that was stopped has not looked at all of them.
  const bool by_tree = settings.method == Method::kBranchAndBound;
  if (!choice.by_rule) {
    clearing.status = limits.status();
  } else if (found.status == Status::kOptimal || (proven && by_tree)) {  // whatever stopped it
    clearing.status = proven ? Status::kOptimal : Status::kInaccurate;
  } else {
    clearing.status = found.status;
  }
  // What orders trade with each other is at stake for nobody: what is left may want a finer unit.
  // Giants that leave the maker nothing may hide what he would trade.
  const double sought = net > 0.0 || !has_giants(market, whole) ? net : own_money(market);
  const bool told =
      clearing.status == Status::kOptimal && !(sought > 0.0 && gap > settings.tolerance * sought);
  const bool finished =
      clearing.status == Status::kOptimal || clearing.status == Status::kInaccurate;
  if (finished && !told && too_coarse(std::max(net, kLastDigit * clearing.scale) / scaled.scale)) {
    return std::nullopt;
  }
  if (finished && hidden && unit.counted.riskless.empty()) {
    unit.count_from(count_from_riskless(market, whole, clearing.net_demand, token));
    if (unit.book) {
      return std::nullopt;
    }
  }
  count_from_nothing(unit.counted.riskless, clearing);
  clearing.progress = in_money(found.progress);
  clearing.iterations = found.iterations + selection.iterations();
  clearing.threads = found.threads;
  restore_all(book, clearing);
  clearing.seconds_total = seconds_since(start);
  clearing.seconds_select =
      clearing.seconds_total - clearing.seconds_compile - clearing.seconds_search;
  return clearing;
}

/// `start`: of the clearing, its compilation included.
Clearing clear_from(const Market& market, const Orders& orders, std::vector<Staircase> stairs,
                    Clock::time_point start, const ClearSettings& settings) {
  Limits limits(settings, start, orders.count);
  const CanonicalBook book(market, std::move(stairs));
  // So little may trade that the last digits of what could have traded hide it. A search that finds
  // that makes way for one with the unit of what does trade.
  Unit unit;
  for (;;) {
    ++unit.tried;
    if (std::optional<Clearing> clearing =
            clear_once(book, orders, start, settings, limits, unit)) {
      return std::move(*clearing);
    }
  }
}

}  // namespace

Clearing clear(const Market& market, const Orders& orders, const ClearSettings& settings) {
  require(validate(market, orders));
  const auto start = Clock::now();
  return clear_from(market, orders, compile_staircases(market, orders), start, settings);
}

Clearing clear_compiled(const Market& market, const Orders& orders, std::vector<Staircase> stairs,
                        const ClearSettings& settings) {
  return clear_from(market, orders, std::move(stairs), Clock::now(), settings);
}

}  // namespace kpm
