// Compile the book once, solve, choose what is published, translate back once.
#include "kpm/auction.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "book/canonical_order.hpp"
#include "book/units.hpp"
#include "kpm/validation.hpp"
#include "mechanisms/competitive/clear_compiled_auction.hpp"
#include "mechanisms/competitive/unit_auction.hpp"
#include "mechanisms/levels.hpp"
#include "mechanisms/limits.hpp"
#include "mechanisms/publication.hpp"
#include "mechanisms/trading_gain.hpp"
#include "numerics/extremes.hpp"
#include "numerics/tolerances.hpp"
#include "selection/allocation.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr double kLastDigit = std::numeric_limits<double>::epsilon();
constexpr double kOfPayoff = 8.0;  // last digits of a claim's payoffs that its price may miss

/// What the orders of one claim pay by their limits, summed along its staircase: the same for any
/// sequence of the orders.
double paid_at_limits(const Staircase& claim, int piece, double net_demand) {
  const auto l = static_cast<std::size_t>(piece / 2);
  double paid =
      claim.bought[claim.limit.size()] * claim.price_max - claim.sold[0] * claim.price_min;
  const std::size_t first_bought = Staircase::is_step(piece) ? l + 1 : l;
  for (std::size_t m = first_bought; m < claim.limit.size(); ++m) {
    paid += claim.limit[m] * claim.buy[m];
  }
  for (std::size_t m = 0; m < l; ++m) {
    paid -= claim.limit[m] * claim.sell[m];
  }
  if (Staircase::is_step(piece)) {
    paid += claim.limit[l] * (net_demand - (claim.bought[l + 1] - claim.sold[l]));
  }
  return paid;
}

/// Whether the published state prices make the published claim prices.
bool consistent(const Market& market, const Clearing& clearing) {
  for (int k = 0; k < market.claims; ++k) {
    const double* const row = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    const auto [low, high] = extremes_of(row, market.states);
    const double largest = std::max(std::abs(low), std::abs(high));
    const double slack = kPriceTolerance * (high - low) + kOfPayoff * kLastDigit * largest;
    const auto at = static_cast<std::size_t>(k);
    const double above = above_least(market, at, low, clearing.state_prices);
    if (!(std::abs(above - (clearing.claim_prices[at] - low)) <= slack)) {
      return false;
    }
  }
  return true;
}

/// The market as the core knows it: a Knightian maker's preferences are in it, others have theirs
/// in their model.
Market market_of(const Market& given, const MakerModel& model, const Array& prior) {
  const bool knightian = model.kind == MakerKind::kKnightian;
  Market market = given;
  market.prior = prior.data();
  market.risk_aversion = knightian ? model.risk_aversion : 1.0;
  market.ambiguity = knightian ? model.ambiguity : 0.0;
  return market;
}

/// From the staircases to a clearing, its bound and its status.
class ConvexClearing {
 public:
  ConvexClearing(const CanonicalBook& book, const Orders& orders, const AuctionSettings& settings,
                 Limits& limits)
      : book_(book), orders_(orders), settings_(settings), limits_(limits) {}

  AuctionClearing clear();

 private:
  void solve();
  void publish_and_judge();
  void publish_point();
  void appraise();
  void bound();
  void judge();
  double gain() const;
  bool hides_a_loss(double wanted) const;
  void stay_at_idle_prices();
  void finish();

  const CanonicalBook& book_;
  const Orders& orders_;
  const AuctionSettings& settings_;
  Limits& limits_;
  const Clock::time_point start_ = Clock::now();
  Checkpoint checkpoint_{limits_.token()};
  const MakerModel& model_ = book_.maker();
  const std::vector<Staircase>& stairs_ = book_.stairs();
  const Array prior_ = prior_of(model_);
  const Market market_ = market_of(book_.market(), model_, prior_);
  const ScaledMarket whole_{market_, stairs_};

  ResolvedAuction resolved_;
  AuctionPoint published_;  // the point, with the published demand
  bool at_idle_prices_ = false;
  double gap_ = 0.0;   // money that its prices leave unproven
  double seen_ = 0.0;  // money that the maker gains, as a difference of two worths
  AuctionClearing result_;
  Clearing& clearing_ = result_.clearing;
};

AuctionClearing ConvexClearing::clear() {
  solve();
  publish_and_judge();
  if (clearing_.status == Status::kInaccurate) {
    stay_at_idle_prices();
  }
  finish();
  return std::move(result_);
}

/// The fills of greatest worth, and prices that support them.
void ConvexClearing::solve() {
  for (const Staircase& claim : stairs_) {
    clearing_.pieces.push_back(claim.pieces());
  }
  resolved_ =
      resolve_auction(whole_, model_, stairs_, settings_, !limits_.stopped_before(), checkpoint_);
  clearing_.iterations = resolved_.solved.iterations;
  clearing_.seconds_search = seconds_since(start_);
}

/// What the point makes of the clearing: each step relies on those before it.
void ConvexClearing::publish_and_judge() {
  publish_point();
  appraise();
  bound();
  judge();
}

/// Prices and fills by the limit order logic, in the caller's units.
void ConvexClearing::publish_point() {
  const ScaledMarket& scaled = resolved_.in->market;
  const AuctionPoint& point = resolved_.solved.point;
  Choice choice;
  choice.cell = point.piece;
  choice.demand = point.demand;
  choice.state_prices = point.g;
  const Published published = publish(market_, orders_, book_.places(), {stairs_, stairs_, {}},
                                      scaled, choice, settings_.allocation, clearing_);
  clearing_.scale =
      published.scale > 0.0 ? published.scale : Levels(market_, stairs_).smaller_half();
}

/// What the published demand, which is what limits and allocation made of the chosen one, is worth
/// to the maker, at the clearing prices and where every order pays its limit.
void ConvexClearing::appraise() {
  const UnitAuction& in = *resolved_.in;
  const ScaledMarket& scaled = in.market;
  double premium = 0.0;  // what limits pay above the clearing prices
  for (std::size_t k = 0; k < stairs_.size(); ++k) {
    const double at_limits =
        paid_at_limits(stairs_[k], static_cast<int>(clearing_.cell[k]), clearing_.net_demand[k]);
    premium += at_limits - clearing_.claim_prices[k] * clearing_.net_demand[k];
  }
  published_ = resolved_.solved.point;
  double revenue = 0.0;
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    published_.demand[k] = scaled.demand(k, clearing_.net_demand[source]);
    revenue += published_.demand[k] * scaled.price(k, clearing_.claim_prices[source]);
  }
  in.plain(checkpoint_).judge(*resolved_.in->function, published_);
  const double nothing = cost_of_nothing(model_);
  const double competitive = to_money(scaled, revenue - published_.cost) - nothing;
  result_.objective = competitive + premium;
  clearing_.certainty_equivalent = competitive;
  clearing_.no_trade_equivalent = to_money(scaled, in.idle.worth) - nothing;
  seen_ = competitive - clearing_.no_trade_equivalent;
  if (settings_.rule == ConvexRule::kPayAsBid) {
    clearing_.certainty_equivalent = result_.objective;
    clearing_.revenue += premium;
    for (double& wealth : clearing_.payoff) {
      wealth += premium;
    }
  }
}

/// The upper bound on every fills' worth, and what supports it. Prices that support no trade prove
/// all but what the maker loses by the fills, by the definition of the conjugate.
void ConvexClearing::bound() {
  const ScaledMarket& scaled = resolved_.in->market;
  if (std::none_of(stairs_.begin(), stairs_.end(),
                   [](const Staircase& claim) { return claim.has_net_demand(); })) {
    published_.bound = published_.objective;  // there is one clearing, which its own worth bounds
  }
  gap_ = at_idle_prices_ ? std::max(-gain(), 0.0) : scaled.scale * published_.gap();
  clearing_.upper_bound = result_.objective + std::max(gap_, 0.0);
  Support& support = clearing_.support;
  support.worst_case = to_vector(published_.p);
  support.marginal_state_prices = clearing_.state_prices;
  support.multipliers.assign(static_cast<std::size_t>(market_.claims), 0.0);
  support.ambiguity_price = 0.0;
  if (model_.kind == MakerKind::kKnightian && scaled.kind == Ambiguity::kNone) {
    const auto [least, most] =
        std::minmax_element(clearing_.payoff.begin(), clearing_.payoff.end());
    support.ambiguity_price = *least < *most ? kInfinity : 0.0;
  } else if (model_.kind == MakerKind::kKnightian) {
    support.ambiguity_price = scaled.scale * resolved_.in->function->ambiguity_price();
  }
}

/// By the published figures. A bound that is below what it bounds proves no more than the rounding
/// by which it is.
void ConvexClearing::judge() {
  const double wanted = settings_.tolerance * clearing_.scale;
  const bool proven = clearing_.upper_bound - result_.objective <= wanted && -gap_ <= wanted &&
                      consistent(market_, clearing_) && !hides_a_loss(wanted);
  if (proven) {
    clearing_.status = Status::kOptimal;
    return;
  }
  const bool stopped = limits_.status() != Status::kOptimal;
  clearing_.status = stopped ? limits_.status() : Status::kInaccurate;
  // The state prices may be any: what the maker would pay is another matter.
  const MakerFunction& function = *resolved_.in->function;
  const Array marginal = function.g() / function.g().sum();
  const Array worst = function.worst_case() / function.worst_case().sum();
  clearing_.support.marginal_state_prices = to_vector(marginal);
  clearing_.support.worst_case = to_vector(worst);
}

/// What the maker gains at the clearing prices, in all digits.
double ConvexClearing::gain() const {
  return TradingGain(model_, market_.inventory)
      .of(market_.payoffs, market_.claims, clearing_.claim_prices.data(),
          clearing_.net_demand.data(), 0.0);
}

/// Whether the maker loses by fills of greatest worth, which nobody can (theorem A): the rounding
/// of a wealth that dwarfs the book hides that from the gap.
bool ConvexClearing::hides_a_loss(double wanted) const {
  const ScaledMarket& scaled = resolved_.in->market;
  const double wealth = scaled.scale * scaled.inventory.maxCoeff();
  return (seen_ < -wanted || kGapRounding * wealth > wanted) && gain() < -wanted;
}

/// Beside such a wealth: what the traders want at the maker's prices without trade.
void ConvexClearing::stay_at_idle_prices() {
  const UnitAuction& in = *resolved_.in;
  AuctionPoint point = best_answer(in.plain(checkpoint_), in.idle.g, in.idle.p, *in.function);
  if (!in.contains(point)) {
    return;
  }
  std::swap(resolved_.solved.point, point);
  at_idle_prices_ = true;
  publish_and_judge();
  if (clearing_.status != Status::kOptimal) {
    std::swap(resolved_.solved.point, point);
    at_idle_prices_ = false;
    publish_and_judge();
  }
}

void ConvexClearing::finish() {
  restore_all(book_, clearing_);
  clearing_.threads = 1;
  clearing_.seconds_total = seconds_since(start_);
  clearing_.seconds_select = clearing_.seconds_total - clearing_.seconds_search;
}

}  // namespace

AuctionClearing clear_compiled_auction(const Market& market, const MakerModel& maker,
                                       const Orders& orders, std::vector<Staircase>& stairs,
                                       const AuctionSettings& settings) {
  require(validate_rule(maker.kind, number_of(settings.rule)));
  const auto start = Clock::now();
  ClearSettings until;
  until.time_limit = settings.time_limit;
  until.interrupted = settings.interrupted;
  until.polls = settings.polls;
  Limits limits(until, start, orders.count, Limits::Clock::duration::zero());
  CanonicalBook book(market, maker, std::move(stairs));
  const double seconds = seconds_since(start);
  AuctionClearing cleared = ConvexClearing(book, orders, settings, limits).clear();
  cleared.clearing.seconds_compile = seconds;
  cleared.clearing.seconds_total += seconds;
  stairs = book.release_stairs();
  return cleared;
}

AuctionClearing clear_auction(const Market& market, const MakerModel& maker, const Orders& orders,
                              const AuctionSettings& settings) {
  require(validate(market, maker));
  require(validate(orders, market.claims));
  const auto start = Clock::now();
  std::vector<Staircase> stairs = compile_staircases(market, orders);
  const double seconds = seconds_since(start);
  AuctionSettings rest = settings;
  rest.time_limit = std::max(settings.time_limit - seconds, 0.0);
  AuctionClearing cleared = clear_compiled_auction(market, maker, orders, stairs, rest);
  cleared.clearing.seconds_compile += seconds;
  cleared.clearing.seconds_total += seconds;
  return cleared;
}

}  // namespace kpm
