// What a clearing by a convex rule returns when it is stopped, at every poll of its limits.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "kpm/auction.hpp"
#include "kpm/polls.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

constexpr int kKinds = 6;
constexpr int kStates = 4;
constexpr double kDelta[kStates] = {5.0, 5.0, 5.0, 5.0};
constexpr double kPriors[2 * kStates] = {0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1};

/// The maker of a kind, in turn all of them; a market of kStates has its parameters.
MakerModel maker_of_kind(int kind, const Market& market) {
  constexpr MakerKind kEach[kKinds] = {MakerKind::kKnightian,  MakerKind::kStartingOrders,
                                       MakerKind::kWorstState, MakerKind::kPolytope,
                                       MakerKind::kUtility,    MakerKind::kQuadratic};
  MakerModel maker;
  maker.kind = kEach[kind];
  maker.states = kStates;
  maker.prior = market.prior;
  maker.risk_aversion = market.risk_aversion;
  maker.ambiguity = market.ambiguity;
  maker.delta = kDelta;
  if (maker.kind == MakerKind::kPolytope) {
    maker.vertices = kPriors;
    maker.priors = 2;
  }
  maker.wealth = 30.0;
  maker.curvature = 20.0;
  return maker;
}

/// Orders against their limits: inside it they trade in full, beyond it not at all.
bool obeys_limits(const test::RandomBook& book, const Clearing& clearing) {
  for (std::size_t j = 0; j < book.price.size(); ++j) {
    const double price = clearing.claim_prices[static_cast<std::size_t>(book.claim[j])];
    const double gain = book.side[j] * (book.price[j] - price);
    if ((gain > 1e-9 && clearing.fills[j] != book.quantity[j]) ||
        (gain < -1e-9 && clearing.fills[j] != 0.0)) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST(a_stopped_auction_obeys_every_limit_and_its_bound_holds) {
  test::Random random(81);
  int stopped = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const test::RandomBook book(random, kStates, 4, 30);
    const Market market = book.market();
    const MakerModel maker = maker_of_kind(trial % kKinds, market);
    AuctionSettings settings;
    settings.rule = trial % 2 == 0 ? ConvexRule::kCompetitive : ConvexRule::kPayAsBid;
    const AuctionClearing whole = clear_auction(market, maker, book.book(), settings);
    CHECK(whole.clearing.status == Status::kOptimal);
    const double rounding = 1e-7 * (1.0 + whole.clearing.scale + std::abs(whole.objective));
    double before = -kInfinity;
    for (int at = 0;; ++at) {
      Polls polls;
      polls.stop_at = at;
      settings.polls = &polls;
      const AuctionClearing found = clear_auction(market, maker, book.book(), settings);
      CHECK(obeys_limits(book, found.clearing));
      CHECK(found.objective <= whole.objective + rounding);
      CHECK(found.objective >= before - rounding);  // more time never gives less
      before = found.objective;
      CHECK(found.clearing.upper_bound >= whole.objective - rounding);
      if (polls.count <= at) {  // it was not stopped
        CHECK(found.clearing.status == Status::kOptimal);
        CHECK(found.objective == whole.objective);
        break;
      }
      CHECK(found.clearing.status == Status::kInterrupted ||
            found.clearing.status == Status::kOptimal);
      stopped += found.clearing.status == Status::kInterrupted ? 1 : 0;
    }
  }
  CHECK(stopped > 300);
}

TEST(books_that_are_solved_in_several_units_are_stopped_in_each) {
  test::Random random(84);
  int stopped = 0;
  int idle = 0;
  std::int64_t further = 0;  // polls that idle giants cost: those of finer units
  for (int trial = 0; trial < 36; ++trial) {
    test::RandomBook book(random, kStates, 3, 12);
    const Market market = book.market();
    const MakerModel maker = maker_of_kind(trial % kKinds, market);
    AuctionSettings settings;
    settings.rule = trial % 4 == 3 && maker.kind == MakerKind::kStartingOrders ? ConvexRule::kPdca
                    : trial / 6 % 2 == 0 ? ConvexRule::kCompetitive
                                         : ConvexRule::kPayAsBid;
    Polls plain;
    settings.polls = &plain;
    const AuctionClearing without = clear_auction(market, maker, book.book(), settings);
    // Giants of several sizes that no price near the others' reaches.
    for (const double giant : {1e5, 1e8, 1e11}) {
      const int claim = random.below(book.claims);
      const double* const row = book.payoffs_of(claim);
      const auto [low, high] = std::minmax_element(row, row + book.states);
      book.claim.push_back(claim);
      book.side.push_back(1);
      book.price.push_back(*low + 1e-3 * (*high - *low));
      book.quantity.push_back(giant);
    }
    Polls all;
    settings.polls = &all;
    const AuctionClearing whole = clear_auction(market, maker, book.book(), settings);
    const std::vector<double>& fills = whole.clearing.fills;
    if (std::any_of(fills.end() - 3, fills.end(), [](double fill) { return fill > 0.0; })) {
      continue;  // a giant trades, and is no longer idle
    }
    ++idle;
    further += all.count - plain.count;
    const double rounding = 1e-6 * (1.0 + whole.clearing.scale + std::abs(whole.objective));
    CHECK(whole.clearing.status == Status::kOptimal);
    CHECK_NEAR(whole.objective, without.objective, rounding);
    const std::int64_t step = 1 + all.count / 40;
    for (std::int64_t at = 0; at < all.count; at += step) {
      Polls polls;
      polls.stop_at = at;
      settings.polls = &polls;
      const AuctionClearing found = clear_auction(market, maker, book.book(), settings);
      CHECK(obeys_limits(book, found.clearing));
      CHECK(std::isfinite(found.clearing.upper_bound));
      CHECK(found.objective <= whole.objective + rounding);
      CHECK(found.clearing.upper_bound >= whole.objective - rounding);
      CHECK(found.clearing.status == Status::kInterrupted ||
            found.clearing.status == Status::kOptimal);
      stopped += found.clearing.status == Status::kInterrupted ? 1 : 0;
    }
  }
  CHECK(idle > 20);
  CHECK(stopped > 200);
  CHECK(further > 100);
}

TEST(a_clearing_told_to_stop_before_it_begins_has_no_time) {
  test::Random random(82);
  int stopped = 0;
  for (int trial = 0; trial < 30; ++trial) {
    const test::RandomBook book(random, 8, 6, 100);
    ClearSettings settings;
    settings.time_limit = 0.0;
    const Clearing none = clear(book.market(), book.book(), settings);
    settings.time_limit = kInfinity;
    settings.interrupted = [] { return true; };
    const Clearing found = clear(book.market(), book.book(), settings);
    CHECK(found.fills == none.fills && found.state_prices == none.state_prices);
    CHECK(found.upper_bound == none.upper_bound);
    CHECK(found.status == (none.status == Status::kTimeLimit ? Status::kInterrupted : none.status));
    stopped += found.status == Status::kInterrupted ? 1 : 0;
    MakerModel maker;
    maker.states = book.states;
    maker.prior = book.prior.data();
    maker.risk_aversion = book.risk_aversion;
    AuctionSettings auction;
    auction.interrupted = settings.interrupted;
    const AuctionClearing other = clear_auction(book.market(), maker, book.book(), auction);
    CHECK(other.clearing.iterations == 0 && std::isfinite(other.clearing.upper_bound));
    CHECK(obeys_limits(book, other.clearing));
  }
  CHECK(stopped > 10);
}

TEST(starting_orders_on_arrow_debreu_claims_are_stopped_as_well) {
  // Bids and offers at the same limits, which leave a choice among demands once the root is found.
  constexpr int kStates = 12;
  test::Random random(83);
  test::RandomBook book(random, kStates, kStates, 2 * kStates);
  const std::vector<double> delta(kStates, 5.0);
  book.payoffs.assign(kStates * kStates, 0.0);
  book.inventory.assign(kStates, 0.0);
  for (std::size_t j = 0; j < book.price.size(); ++j) {
    const std::size_t claim = j / 2;
    book.payoffs[claim * (kStates + 1)] = 1.0;
    book.claim[j] = static_cast<std::int64_t>(claim);
    book.side[j] = j % 2 == 0 ? 1 : -1;
    book.price[j] = (claim % 2 == 0 ? 1.3 : 0.7) / kStates;  // unlike those without trade
    book.quantity[j] = random.uniform(20.0, 50.0);
  }
  const Market market = book.market();
  MakerModel maker;
  maker.kind = MakerKind::kStartingOrders;
  maker.states = kStates;
  maker.delta = delta.data();
  AuctionSettings settings;
  for (const ConvexRule rule : {ConvexRule::kCompetitive, ConvexRule::kPdca}) {
    settings.rule = rule;
    settings.polls = nullptr;
    const AuctionClearing whole = clear_auction(market, maker, book.book(), settings);
    CHECK(whole.clearing.status == Status::kOptimal);
    int interrupted = 0;
    int stopped = 0;
    double before = -kInfinity;
    for (int at = 0;; ++at) {
      Polls polls;
      polls.stop_at = at;
      settings.polls = &polls;
      const AuctionClearing found = clear_auction(market, maker, book.book(), settings);
      // Which the root alone proves.
      const bool optimal = found.clearing.status == Status::kOptimal;
      CHECK(optimal || found.clearing.status == Status::kInterrupted);
      CHECK(optimal || stopped == interrupted);  // found once, it is not lost
      CHECK(obeys_limits(book, found.clearing));
      CHECK(found.objective >= before - 1e-9 && found.objective <= whole.objective + 1e-9);
      CHECK(!optimal || found.objective >= whole.objective - 1e-9);
      CHECK(found.clearing.upper_bound >= whole.objective - 1e-9);
      before = found.objective;
      if (polls.count <= at) {
        CHECK(optimal);
        break;
      }
      ++stopped;
      interrupted += optimal ? 0 : 1;
    }
    CHECK(interrupted > 2);
    CHECK(stopped > interrupted);
  }
}

TEST(an_auction_without_time_says_so) {
  test::Random random(82);
  const test::RandomBook book(random, kStates, 4, 30);
  MakerModel maker;
  const Market market = book.market();
  maker.states = book.states;
  maker.prior = market.prior;
  maker.risk_aversion = market.risk_aversion;
  maker.ambiguity = market.ambiguity;
  AuctionSettings settings;
  settings.time_limit = 0.0;
  Polls polls;
  settings.polls = &polls;  // each poll asks
  const AuctionClearing found = clear_auction(market, maker, book.book(), settings);
  CHECK(found.clearing.status == Status::kTimeLimit);
  CHECK(found.objective <= found.clearing.upper_bound);
  CHECK(obeys_limits(book, found.clearing));
}

}  // namespace kpm
