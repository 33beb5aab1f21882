#include "mechanisms/maker_optimal/unit_clearing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "book/presolve.hpp"
#include "book/units.hpp"
#include "kpm/polls.hpp"
#include "mechanisms/competitive/equilibrium.hpp"
#include "mechanisms/levels.hpp"
#include "mechanisms/maker_optimal/as_published.hpp"
#include "mechanisms/maker_optimal/cell_bound.hpp"
#include "mechanisms/maker_optimal/certificate.hpp"
#include "mechanisms/maker_optimal/refinement.hpp"
#include "mechanisms/maker_optimal/riskless_trade.hpp"
#include "mechanisms/maker_optimal/scaled_down_clearing.hpp"
#include "mechanisms/maker_optimal/whole_book.hpp"
#include "numerics/arena.hpp"
#include "numerics/tolerances.hpp"
#include "risk/risk_measure.hpp"

namespace kpm {

namespace {

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

}  // namespace

std::optional<Clearing> UnitClearing::clear(bool& warm) {
  prepare();
  if (!search(warm) || !choose(warm) || !support(warm) || !publish_choice()) {
    return std::nullopt;
  }
  appraise();
  bound();
  const Status status = judge();
  const bool finer = wants_finer_unit(status);
  if (memory_ != nullptr && !finer && !remember(warm)) {
    return std::nullopt;
  }
  finish();
  if (finer) {
    unit_.coarser = std::move(clearing_);
    return std::nullopt;
  }
  return std::move(clearing_);
}

/// The cells of the staircases, (12) to (17), and what was cut in the states of the traded market.
void UnitClearing::prepare() {
  if (tradable_) {
    tradable_->merge(traded_);
  }
  clearing_.pieces.reserve(stairs_.size());
  for (const Staircase& claim : stairs_) {
    clearing_.pieces.push_back(claim.pieces());
    cells_ *= claim.pieces();
  }
  if (unit_.tried == 1) {
    unit_.seconds_compile = seconds_since_start();
  }
  clearing_.seconds_compile = unit_.seconds_compile;
}

/// The best clearings, and a bound on all others: (28) or branch and bound. False if the unit is
/// too large for what trades.
bool UnitClearing::search(bool& warm) {
  std::function<void(const Progress&)> report;  // where somebody looks at it
  if (settings_.monitor) {
    report = [this](const Progress& progress) {
      Progress now = in_money(progress);
      now.elapsed = seconds_since_start();
      limits_.report(now);
    };
  }
  const SearchTask task{settings_, token_, limits_.interruption(), std::move(report),
                        [this](double stake) { return too_coarse(stake); }};
  std::optional<Presolve> presolved;
  if (settings_.method == Method::kBranchAndBound) {
    presolved.emplace(scaled_, stairs_, settings_.presolve);
  }
  if (warm && presolved) {
    found_ = resume(book_, scaled_, *presolved, settings_, *memory_, token_);
    if (found_.coarse) {
      memory_->fail();
      warm = false;
    }
  }
  if (!warm) {
    found_ = presolved
                 ? prove(market_, traded_, *presolved, seen_, tradable_ ? &*tradable_ : nullptr,
                         stakes_, task, riskless_, clearing_.certificate)
                 : enumerate(scaled_, stairs_, stakes_, cells_, task);
  }
  if (!presolved && !tradable_) {
    found_.corners = find_corners(scaled_, stairs_);
  }
  if (found_.coarse) {
    return false;
  }
  if (found_.status == Status::kInterrupted) {
    found_.status = limits_.status();
  }
  clearing_.seconds_search = seconds_since_start() - clearing_.seconds_compile;
  return true;
}

/// One of the clearings that tie, by the rules of docs/selection.md. False if that does not do, or
/// was only to show what giants trade.
bool UnitClearing::choose(bool warm) {
  if (settings_.polls != nullptr) {
    settings_.polls->search = settings_.polls->count;
  }
  limits_.begin_selection();
  Selection selection(
      scaled_, stairs_, token_, limits_.interruption(),
      [this](Checkpoint& checkpoint) { return find_equilibrium(scaled_, stairs_, checkpoint); });
  choice_ = selection.choose(found_.candidates, found_.reserve);
  found_.iterations += selection.iterations();
  if (warm && !(choice_.by_rule && choice_.nearest && Selection::is_right(choice_))) {
    return false;
  }
  if (unit_.giants == Unit::Giants::kScaledDown) {
    end_trial(std::move(choice_));
    return false;
  }
  refine(market_, traded_, seen_, unit_.trial ? &*unit_.trial : nullptr, choice_);
  return true;
}

/// From the clearing of giants scaled down, the unit in which the book itself is searched.
void UnitClearing::end_trial(Choice&& choice) {
  const std::vector<double> demand = enlarge(scaled_, book_.stairs(), whole_, choice);
  unit_.end_trial(std::move(choice), count_from_riskless(market_, book_.stairs(), demand, token_));
  if (!unit_.book) {
    const double sought = kFinest * own_money(market_);
    unit_.book = tradable_book(market_, book_.stairs(), token_,
                               std::max(notional(book_.stairs(), demand), sought));
  }
}

/// What (g, p, lambda) of the choice prove of the whole book, by (DV). False if that was to be
/// enough and is not.
bool UnitClearing::support(bool warm) {
  if (tradable_) {
    const Box cell{choice_.cell, choice_.cell};
    WholeBook(scaled_, seen_, *tradable_)
        .support(cell, choice_.worst_case, choice_.marginal_state_prices, choice_.multipliers);
  }
  support_ = support_of(scaled_, choice_);
  // In another unit, or beside giants, the bound is as the search left it.
  const bool of_whole = !found_.corners.empty() && unit_.tried == 1 && !unit_.had_trial() &&
                        choice_.by_rule && riskless_.empty();
  // Where the clearing's own support proves it, the bound is that, whatever the search did.
  own_bound_ = of_whole ? support_.bound(found_.corners) : kInfinity;
  proved_ = own_bound_ <= choice_.value + kTie;
  return !warm || (proved_ && is_alone(scaled_, found_.corners, choice_, support_, own_bound_));
}

/// Prices and fills by the limit order logic, (4) and (18). False if a clearing of what was
/// searched is none of the whole book.
bool UnitClearing::publish_choice() {
  choice_.state_prices = traded_.restore(std::move(choice_.state_prices));
  published_ = publish(market_, orders_, book_.places(), {book_.stairs(), seen_, riskless_},
                       scaled_, choice_, settings_.allocation, clearing_);
  clearing_.scale = published_.scale;
  if (!(clearing_.scale > 0.0)) {
    clearing_.scale = tradable_ ? Levels(market_, whole_).smaller_half() : stakes_.smaller_half();
  }
  Arena arena;
  RiskMeasure measure(scaled_, arena);
  value_ = value_of(scaled_, clearing_, measure);
  if (tradable_ &&
      value_ < choice_.worth - kLost - rounding_of_payments(clearing_) / scaled_.scale) {
    unit_.step_back();
    return false;
  }
  // By the measure: near a kink the cell's solution has the value of rho, but hardly its slope.
  Support& support = clearing_.support;
  support.ambiguity_price = scaled_.scale * measure.multiplier();
  support.worst_case = traded_.published(choice_.worst_case);
  support.marginal_state_prices = traded_.published(choice_.marginal_state_prices);
  support.multipliers = original_multipliers(market_.claims, scaled_, choice_.multipliers);
  if (scaled_.kind == Ambiguity::kNone) {
    // The first nat costs infinitely much per nat, unless the payoff is the same in all states.
    const auto [least, most] =
        std::minmax_element(clearing_.payoff.begin(), clearing_.payoff.end());
    support.ambiguity_price = *least < *most ? kInfinity : 0.0;
  }
  no_trade_ = -measure.evaluate(-scaled_.inventory);
  return true;
}

/// Certainty equivalents of the clearing and of no trade. An unchanged payoff is worth as much as
/// no trade; and by theorem A no clearing is worth less, except by the rounding of its own figures.
void UnitClearing::appraise() {
  const double wealth = scaled_.inventory.abs().maxCoeff();
  net_ = notional(seen_, clearing_.net_demand);
  const double of_figures = kGapRounding * (net_ / scaled_.scale + wealth);
  as_good_ = !published_.moves || (value_ < no_trade_ && value_ >= no_trade_ - of_figures);
  clearing_.no_trade_equivalent = to_money(scaled_, no_trade_);
  clearing_.certainty_equivalent = to_money(scaled_, as_good_ ? no_trade_ : value_);
}

/// The upper bound on every clearing of the book.
void UnitClearing::bound() {
  upper_ = proved_ ? std::max(own_bound_, choice_.value) : found_.upper_bound;
  if (unit_.had_trial() && !tradable_ && choice_.by_rule && riskless_.empty()) {
    // Money is counted in units of giants that trade with the maker: the search bounds what is left
    // of it to a few digits, the support of the refined clearing to all.
    Proof own = certify_whole(traded_, whole_, support_);
    const double bound = (own.certificate.bound[0] - scaled_.inventory_floor) / scaled_.scale;
    if (bound < upper_ && own.rounding <= settings_.tolerance * clearing_.scale) {
      upper_ = found_.progress.upper_bound = bound;
      clearing_.certificate = settings_.certificate ? std::move(own.certificate) : Certificate{};
      found_.proof_rounding = own.rounding;
    }
  }
  clearing_.upper_bound = std::max(to_money(scaled_, upper_), clearing_.certainty_equivalent);
  if (nothing_can_trade()) {
    // There is one clearing, whose value bounds it and every leaf.
    upper_ = as_good_ ? no_trade_ : value_;
    clearing_.upper_bound = clearing_.certainty_equivalent;
    for (double& bound : clearing_.certificate.bound) {
      bound = std::min(bound, clearing_.certainty_equivalent);
    }
  }
  // The bound that a certificate proves may be another. Whether to search again is decided without
  // it: a certificate changes no bit of the clearing.
  certified_ = clearing_.upper_bound;
  for (const double bound : clearing_.certificate.bound) {
    certified_ = std::max(certified_, bound);
  }
  // A checker counts what rounding may hide, where that is more than the tolerance.
  if (found_.proof_rounding > settings_.tolerance * clearing_.scale && !nothing_can_trade()) {
    certified_ += found_.proof_rounding;
  }
}

/// The status by the search's bound; published is the one by the certificate's.
Status UnitClearing::judge() {
  hidden_ = net_ > kVast * moved_by(market_, clearing_) && has_giants(market_, whole_);
  // What giants trade with each other does not measure what the others have at stake.
  const double stake = hidden_ || !riskless_.empty()
                           ? std::min(clearing_.scale, Levels(market_, book_.stairs()).giant())
                           : clearing_.scale;
  const double wanted = settings_.tolerance * stake;
  // A bound below a clearing is off by as much, and so may any other be.
  const double bound_off = clearing_.certainty_equivalent - to_money(scaled_, upper_);
  const bool sound = is_supported(wanted) && bound_off <= wanted && choice_.nearest;
  // An enumeration proves by its count of cells: one that was stopped has not visited all of them.
  const bool by_tree = settings_.method == Method::kBranchAndBound;
  // Judged by the published figures: the rounding between them counts, and a NaN proves nothing.
  const auto status_at = [&](double bound) {
    const bool within = bound - clearing_.certainty_equivalent <= wanted;
    if (!choice_.by_rule) {
      return limits_.status();
    }
    // Whatever stopped the tree: of a bound so close more nodes would change nothing.
    if (found_.status == Status::kOptimal || (within && by_tree)) {
      return within && sound ? Status::kOptimal : Status::kInaccurate;
    }
    return found_.status;
  };
  clearing_.status = status_at(certified_);
  const Status status = status_at(clearing_.upper_bound);
  unit_.proven = status == Status::kOptimal;
  return status;
}

/// Whether the published support proves the published cell.
bool UnitClearing::is_supported(double wanted) {
  // Whatever is at stake, the bound of a cell is a sum of all that trades.
  const double allowed = kSupportSlack * wanted + kLastDigit * clearing_.scale;
  const double rounding = kGapRounding * (1.0 + scaled_.inventory.abs().maxCoeff());
  const auto supports = [&](double bound) {
    return scaled_.scale * (bound - value_ - rounding) <= allowed;
  };
  // A bound of the book bounds the cell.
  const bool supported =
      (proved_ && supports(own_bound_)) || supports(cell_bound(support_, scaled_, seen_, choice_));
  if (supported && !tradable_ && riskless_.empty() && scaled_.scale * kDoubtful <= wanted) {
    return true;
  }
  const AsPublished readers(market_, book_.stairs(), riskless_, published_.paid,
                            settings_.tolerance);
  if (supported && readers.proves(clearing_)) {
    return true;
  }
  // Whether it proves the cell or not: it is at least the worst case of what is published.
  const Choice own = with_own_support(market_, traded_, choice_, clearing_);
  return supports(cell_bound(support_of(scaled_, own), scaled_, seen_, own)) &&
         readers.proves(clearing_);
}

/// Trade of orders with each other puts no money at stake: the rest may need a finer unit. Where it
/// leaves the maker nothing, or rounding, it may hide what the maker would trade.
bool UnitClearing::wants_finer_unit(Status status) {
  const double sought = net_ > kLastDigit * scaled_.scale ? net_ : own_money(market_);
  const double gap = clearing_.upper_bound - clearing_.certainty_equivalent;
  const bool resolved = unit_.proven && gap <= settings_.tolerance * sought;
  const bool finished = unit_.proven || status == Status::kInaccurate;
  const bool finer = finished && !resolved &&
                     too_coarse(std::max(net_, kLastDigit * clearing_.scale) / scaled_.scale);
  if (finished && hidden_ && !finer && riskless_.empty() && unit_.finer) {
    unit_.count_from(count_from_riskless(market_, whole_, clearing_.net_demand, token_));
    return unit_.book.has_value();
  }
  return finer;
}

/// What the next clearing may start from. False if this one started from the last, and is not
/// optimal.
bool UnitClearing::remember(bool warm) {
  const bool optimal =
      proved_ && unit_.proven &&
      (net_ * kLeastTraded >= scaled_.scale || stakes_.least() >= 2.0 * least_stake());
  if (warm && !optimal) {
    return false;
  }
  // Of a book with other clearings nearly as good the next has some, too.
  if (warm || (optimal && is_alone(scaled_, found_.corners, choice_, support_, own_bound_))) {
    memory_->keep(book_, scaled_, choice_, clearing_.claim_prices);
  } else {
    memory_->forget();
  }
  if (warm) {
    memory_->succeed();
    found_.progress.certainty_equivalent = choice_.value;
    found_.progress.upper_bound = found_.progress.root_bound = upper_;
  } else {
    memory_->note_cells(found_.progress.solved);
  }
  return true;
}

/// Demand from nothing on, claims and states in the caller's order.
void UnitClearing::finish() {
  clearing_.upper_bound = certified_;
  count_from_nothing(market_, riskless_, clearing_);
  clearing_.progress = in_money(found_.progress);
  clearing_.iterations = found_.iterations;
  clearing_.threads = found_.threads;
  restore_all(book_, clearing_);
  clearing_.seconds_total = seconds_since_start();
  clearing_.seconds_select =
      clearing_.seconds_total - clearing_.seconds_compile - clearing_.seconds_search;
  clearing_.progress.elapsed = clearing_.seconds_total;
}

/// Whether a stake, scaled, is too little for the unit, and there is a smaller one, which is left
/// to follow.
bool UnitClearing::too_coarse(double stake) {
  if (stake >= least_stake() || unit_.tried >= kUnits ||
      unit_.giants == Unit::Giants::kScaledDown || !unit_.finer) {
    return false;
  }
  // A power of two: the stake's last digits differ from one way to find it to another.
  const double money = std::ldexp(1.0, std::ilogb(scaled_.scale * stake) + 1);
  std::optional<TradableBook> cut = tradable_book(market_, whole_, token_, money);
  if (!cut || cut->notional() > kSmaller * scaled_.scale) {
    return false;
  }
  unit_.book = std::move(cut);
  return true;
}

/// Cells are solved to a gap that must be small next to what is at stake.
double UnitClearing::least_stake() const { return kCandidateTolerance / settings_.tolerance; }

bool UnitClearing::nothing_can_trade() const {
  return std::none_of(stairs_.begin(), stairs_.end(),
                      [](const Staircase& claim) { return claim.has_net_demand(); });
}

Progress UnitClearing::in_money(Progress progress) const {
  progress.cells = cells_;
  progress.certainty_equivalent = to_money(scaled_, progress.certainty_equivalent);
  progress.upper_bound = to_money(scaled_, progress.upper_bound);
  progress.root_bound = to_money(scaled_, progress.root_bound);
  return progress;
}

double UnitClearing::seconds_since_start() {
  return std::chrono::duration<double>(token_.now() - start_).count();
}

}  // namespace kpm
