// A clearing: compile the book once, search it, translate the answer back once.
#include <algorithm>
#include <chrono>
#include <cmath>
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
#include "mechanisms/maker_optimal/as_published.hpp"
#include "mechanisms/maker_optimal/book_search.hpp"
#include "mechanisms/maker_optimal/cell_bound.hpp"
#include "mechanisms/maker_optimal/certificate.hpp"
#include "mechanisms/maker_optimal/clear_compiled.hpp"
#include "mechanisms/maker_optimal/limits.hpp"
#include "mechanisms/maker_optimal/no_trade.hpp"
#include "mechanisms/maker_optimal/publication.hpp"
#include "mechanisms/maker_optimal/refinement.hpp"
#include "mechanisms/maker_optimal/rehearsal.hpp"
#include "mechanisms/maker_optimal/riskless_trade.hpp"
#include "mechanisms/maker_optimal/stakes.hpp"
#include "mechanisms/maker_optimal/tradable_book.hpp"
#include "mechanisms/maker_optimal/unit.hpp"
#include "mechanisms/maker_optimal/warm_start.hpp"
#include "mechanisms/maker_optimal/whole_book.hpp"
#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"
#include "selection/selection.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The published multipliers' bound of the point's own cell may exceed its value by this many
// tolerances: the search proves the point by others, but readers must not find these wrong.
constexpr double kSupportSlack = 10.0;

constexpr double kLastDigit = std::numeric_limits<double>::epsilon();

constexpr int kUnits = 8;              // searches with ever smaller units of money, at most
constexpr double kSmaller = 1 / 64.0;  // of the unit: what another search is worth

constexpr double kFinest = 1e-3;  // of the maker's own money: a unit that resolves its trade
constexpr double kLost = 1e-7;    // of the unit: more than rounding takes from a clearing

// Where a clearing trades at least one in so many units of money, no search takes them for too
// large (kSmaller): a cut book holds all that its optimum trades.
constexpr double kLeastTraded = 63.0;

// A tie beside what could trade, of what trades: not so little that readers could see it.
constexpr double kDoubtful = 10.0 * kTie;

// Times the change of the maker's payoff: a notional in which the maker takes no part.
constexpr double kVast = 4096.0;

/// What rounding prices to the caller's units may take from the maker's revenue, money.
double rounding_of_payments(const Clearing& clearing) {
  double paid = 0.0;
  for (std::size_t k = 0; k < clearing.net_demand.size(); ++k) {
    paid += std::abs(clearing.claim_prices[k] * clearing.net_demand[k]);
  }
  return kLastDigit * paid;
}

/// Empty if so little trades that another search, of `unit.book`, must tell it from rounding; or if
/// the last clearing was to prove this one, `warm`, and its cell is not enough after all. Where
/// that shows at once, `warm` becomes false and the book is searched. What is to be kept of this
/// clearing is left in `memory`, if there is one.
std::optional<Clearing> clear_once(const CanonicalBook& book, const Orders& orders,
                                   Clock::time_point start, const ClearSettings& settings,
                                   Limits& limits, Unit& unit, WarmStart* memory, bool& warm) {
  const Market& market = book.market();
  const std::vector<Staircase>& whole =
      unit.counted.stairs.empty() ? book.stairs() : unit.counted.stairs;
  StopToken& token = limits.token();
  std::optional<TradableBook> tradable = std::exchange(unit.book, std::nullopt);
  const bool by_smaller = tradable.has_value();
  if (!tradable && !unit.uncut && has_giants(market, whole)) {
    if (warm) {
      memory->fail();
      warm = false;
    }
    tradable = tradable_book(market, whole, token);
    if (!unit.rehearsed && !(tradable && !has_giants(market, tradable->stairs))) {
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
  // Cells are solved to a gap that must be small next to what is at stake.
  const double least_stake = kCandidateTolerance / settings.tolerance;
  const auto too_coarse = [&](double stake) {
    if (stake >= least_stake || unit.tried >= kUnits || unit.rehearsal || unit.no_finer) {
      return false;
    }
    // A power of two: the stake's last digits differ from one way to find it to another.
    const double money = std::ldexp(1.0, std::ilogb(scaled.scale * stake) + 1);
    std::optional<TradableBook> cut = tradable_book(market, whole, token, money);
    if (!cut || cut->notional() > kSmaller * scaled.scale) {
      return false;
    }
    unit.book = std::move(cut);
    return true;
  };
  const SearchTask task{settings, token,
                        [&](const Progress& progress) { limits.report(in_money(progress)); },
                        too_coarse};
  std::optional<Presolve> presolved;
  if (settings.method == Method::kBranchAndBound) {
    presolved.emplace(scaled, stairs, settings.presolve);
  }
  Found found;
  if (warm && presolved) {
    found = resume(book, scaled, *presolved, settings, *memory, token);
    if (found.coarse) {
      memory->fail();
      warm = false;
    }
  }
  if (!warm) {
    found = presolved ? prove(market, traded, *presolved, seen, tradable ? &*tradable : nullptr,
                              stakes, task, unit.counted.riskless, clearing.certificate)
                      : enumerate(scaled, stairs, stakes, cells, task);
  }
  if (!presolved && !tradable) {
    found.corners = find_corners(scaled, stairs);
  }
  presolved.reset();  // the selection needs the memory
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
  if (warm && !(choice.by_rule && choice.nearest && Selection::is_right(choice))) {
    return std::nullopt;
  }
  if (unit.rehearsal) {
    const std::vector<double> demand = enlarge(scaled, book.stairs(), whole, choice);
    unit.of_rehearsal = std::move(choice);
    unit.rehearsal = false;
    unit.tried = 0;
    unit.count_from(count_from_riskless(market, book.stairs(), demand, token));
    if (!unit.book) {
      const double sought = kFinest * own_money(market);
      unit.book = tradable_book(market, book.stairs(), token,
                                std::max(notional(book.stairs(), demand), sought));
    }
    return std::nullopt;
  }
  refine(market, traded, seen, unit.of_rehearsal ? &*unit.of_rehearsal : nullptr, choice);
  if (tradable) {
    const Box cell{choice.cell, choice.cell};
    WholeBook(scaled, seen, *tradable)
        .support(cell, choice.worst_case, choice.marginal_state_prices, choice.multipliers);
  }
  const Multipliers support = support_of(scaled, choice);
  // In another unit, or beside giants, the bound is as the search left it.
  const bool of_whole = !found.corners.empty() && unit.tried == 1 && !unit.rehearsed &&
                        choice.by_rule && unit.counted.riskless.empty();
  // Where the support of the clearing closes the book, the bound is that, whatever the search did.
  const double own_bound = of_whole ? book_bound(support, found.corners) : kInfinity;
  const bool closed = own_bound <= choice.value + kTie;
  if (warm && !(closed && is_alone(scaled, found.corners, choice, support, own_bound))) {
    return std::nullopt;
  }
  choice.state_prices = traded.restore(std::move(choice.state_prices));
  const Published published =
      publish(market, orders, book.places(), {book.stairs(), seen, unit.counted.riskless}, scaled,
              choice, settings.allocation, clearing);
  clearing.scale = published.scale;
  if (!(clearing.scale > 0.0)) {
    clearing.scale = tradable ? Levels(market, whole).smaller_half() : stakes.smaller_half();
  }

  Arena arena;
  RiskMeasure measure(scaled, arena);
  const double value = value_of(scaled, clearing, measure);
  if (tradable && value < choice.worth - kLost - rounding_of_payments(clearing) / scaled.scale) {
    unit.step_back(by_smaller);
    return std::nullopt;
  }
  // By the measure: near a kink the cell's solution has the value of rho, but hardly its slope.
  clearing.support.ambiguity_price = scaled.scale * measure.multiplier();
  clearing.support.worst_case = to_vector(traded.restore(choice.worst_case));
  clearing.support.marginal_state_prices = to_vector(traded.restore(choice.marginal_state_prices));
  clearing.support.multipliers = original_multipliers(market.claims, scaled, choice.multipliers);
  if (scaled.kind == Ambiguity::kNone) {
    // The first nat costs infinitely much per nat, unless the payoff is the same in all states.
    const auto [least, most] = std::minmax_element(clearing.payoff.begin(), clearing.payoff.end());
    clearing.support.ambiguity_price = *least < *most ? kInfinity : 0.0;
  }
  // An unchanged payoff is worth as much as no trade; and by theorem A no clearing is worth less,
  // except by the rounding of its own figures.
  const double no_trade = -measure.evaluate(-scaled.inventory);
  const double rounding = kGapRounding * (1.0 + scaled.inventory.abs().maxCoeff());
  const double net = notional(seen, clearing.net_demand);
  const double of_figures = kGapRounding * (net / scaled.scale + scaled.inventory.abs().maxCoeff());
  const bool as_good = !published.moves || (value < no_trade && value >= no_trade - of_figures);
  clearing.no_trade_equivalent = to_money(scaled, no_trade);
  clearing.certainty_equivalent = to_money(scaled, as_good ? no_trade : value);
  double upper = closed ? std::max(own_bound, choice.value) : found.upper_bound;
  if (unit.rehearsed && !tradable && choice.by_rule && unit.counted.riskless.empty()) {
    // Money is counted in units of giants that trade with the maker: the search bounds what is left
    // of it to a few digits, the support of the refined clearing to all.
    OwnProof own = certify_whole(traded, whole, support);
    const double bound = (own.certificate.bound[0] - scaled.inventory_floor) / scaled.scale;
    if (bound < upper && own.rounding <= settings.tolerance * clearing.scale) {
      upper = found.progress.upper_bound = bound;
      clearing.certificate = settings.certificate ? std::move(own.certificate) : Certificate{};
    }
  }
  clearing.upper_bound = std::max(to_money(scaled, upper), clearing.certainty_equivalent);
  if (std::none_of(stairs.begin(), stairs.end(),
                   [](const Staircase& claim) { return claim.has_net_demand(); })) {
    // Nothing can trade: there is one clearing, whose value bounds it and every leaf.
    upper = as_good ? no_trade : value;
    clearing.upper_bound = clearing.certainty_equivalent;
    for (double& bound : clearing.certificate.bound) {
      bound = std::min(bound, clearing.certainty_equivalent);
    }
  }
  // The bound that a certificate proves may be another. Whether to search again is decided without
  // it: a certificate changes no bit of the clearing.
  double certified = clearing.upper_bound;
  for (const double bound : clearing.certificate.bound) {
    certified = std::max(certified, bound);
  }

  const std::vector<double> riskless = unit.counted.riskless;
  const bool hidden = net > kVast * moved_by(market, clearing) && has_giants(market, whole);
  // What giants trade with each other does not measure what the others have at stake.
  const double stake = hidden || !unit.counted.riskless.empty()
                           ? std::min(clearing.scale, Levels(market, book.stairs()).giant())
                           : clearing.scale;
  const double wanted = settings.tolerance * stake;
  // Whatever is at stake, the bound of a cell is a sum of all that trades.
  const double allowed = kSupportSlack * wanted + kLastDigit * clearing.scale;
  const auto supports = [&](double bound) {
    return scaled.scale * (bound - value - rounding) <= allowed;
  };
  // A bound of the book bounds the cell.
  bool supported =
      (closed && supports(own_bound)) || supports(cell_bound(support, scaled, seen, choice));
  if (!supported || tradable || !riskless.empty() || scaled.scale * kDoubtful > wanted) {
    const AsPublished readers(market, book.stairs(), riskless, published.paid, settings.tolerance);
    supported = supported && readers.proves(clearing);
    if (!supported) {
      const Support by_search = clearing.support;
      const Choice own = with_own_support(market, traded, choice, clearing);
      supported = supports(cell_bound(support_of(scaled, own), scaled, seen, own)) &&
                  readers.proves(clearing);
      if (!supported) {
        clearing.support = by_search;
      }
    }
  }
  // A bound below a clearing is off by as much, and so may any other be.
  const double bound_off = clearing.certainty_equivalent - to_money(scaled, upper);
  const bool sound = bound_off <= wanted && choice.nearest && supported;
  // An enumeration proves by its count of cells: one that was stopped has not visited all of them.
  const bool by_tree = settings.method == Method::kBranchAndBound;
  // Judged by the published figures: the rounding between them counts, and a NaN proves nothing.
  const auto status_at = [&](double bound) {
    const bool proven = sound && bound - clearing.certainty_equivalent <= wanted;
    if (!choice.by_rule) {
      return limits.status();
    }
    if (found.status == Status::kOptimal || (proven && by_tree)) {  // whatever stopped it
      return proven ? Status::kOptimal : Status::kInaccurate;
    }
    return found.status;
  };
  const Status status = status_at(clearing.upper_bound);
  unit.proven = status == Status::kOptimal;
  // Trade of orders with each other puts no money at stake: the rest may need a finer unit. Where
  // it leaves the maker nothing, or rounding, it may hide what the maker would trade.
  const double sought = net > kLastDigit * scaled.scale ? net : own_money(market);
  const double gap = clearing.upper_bound - clearing.certainty_equivalent;
  const bool told = unit.proven && gap <= settings.tolerance * sought;
  const bool finished = unit.proven || status == Status::kInaccurate;
  bool finer =
      finished && !told && too_coarse(std::max(net, kLastDigit * clearing.scale) / scaled.scale);
  if (finished && hidden && !finer && riskless.empty() && !unit.no_finer) {
    unit.count_from(count_from_riskless(market, whole, clearing.net_demand, token));
    finer = unit.book.has_value();
  }
  if (memory != nullptr && !finer) {
    const bool optimal =
        closed && unit.proven &&
        (net * kLeastTraded >= scaled.scale || stakes.least() >= 2.0 * least_stake);
    if (warm && !optimal) {
      return std::nullopt;
    }
    // Of a book with other clearings nearly as good the next has some, too.
    if (warm || (optimal && is_alone(scaled, found.corners, choice, support, own_bound))) {
      memory->keep(book, scaled, choice, clearing.claim_prices);
    } else {
      memory->forget();
    }
    if (warm) {
      memory->succeed();
      found.progress.certainty_equivalent = choice.value;
      found.progress.upper_bound = found.progress.root_bound = upper;
    } else {
      memory->note_cells(found.progress.solved);
    }
  }
  clearing.status = status_at(certified);
  clearing.upper_bound = certified;
  count_from_nothing(riskless, clearing);
  clearing.progress = in_money(found.progress);
  clearing.iterations = found.iterations + selection.iterations();
  clearing.threads = found.threads;
  restore_all(book, clearing);
  clearing.seconds_total = seconds_since(start);
  clearing.seconds_select =
      clearing.seconds_total - clearing.seconds_compile - clearing.seconds_search;
  if (finer) {
    unit.coarser = std::move(clearing);
    return std::nullopt;
  }
  return clearing;
}

/// `start`: of the clearing, its compilation included.
Clearing clear_from(const CanonicalBook& book, const Orders& orders, Clock::time_point start,
                    const ClearSettings& settings, WarmStart* memory) {
  if (memory != nullptr && !memory->allowed(settings)) {
    memory = nullptr;  // what is remembered stays
  }
  bool warm = memory != nullptr && memory->wants_to_try();
  // So little may trade that rounding of what could have traded hides it. A search that finds that
  // is followed by one in units of what does trade.
  std::optional<Limits> limits(std::in_place, settings, start, orders.count);
  std::optional<Unit> unit(std::in_place);
  for (;;) {
    ++unit->tried;
    std::optional<Clearing> clearing =
        clear_once(book, orders, start, settings, *limits, *unit, memory, warm);
    if (clearing) {
      Clearing better = unit->better(std::move(*clearing));
      lose_nothing(book, orders, settings, better);
      return better;
    }
    if (warm && memory != nullptr) {  // in vain: as if it had not been
      memory->fail();
      warm = false;
      limits.emplace(settings, start, orders.count);
      unit.emplace();
    }
  }
}

}  // namespace

Clearing clear(const Market& market, const Orders& orders, const ClearSettings& settings) {
  require(validate(market, orders));
  const auto start = Clock::now();
  const CanonicalBook book(market, compile_staircases(market, orders));
  return clear_from(book, orders, start, settings, nullptr);
}

Clearing clear_compiled(const Market& market, const Orders& orders, std::vector<Staircase>& stairs,
                        const ClearSettings& settings, WarmStart* memory) {
  const auto start = Clock::now();
  CanonicalBook book(market, std::move(stairs));
  Clearing clearing = clear_from(book, orders, start, settings, memory);
  stairs = book.release_stairs();
  return clearing;
}

}  // namespace kpm
