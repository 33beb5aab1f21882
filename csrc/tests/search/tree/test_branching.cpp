#include <algorithm>
#include <vector>

#include "check.hpp"
#include "ipm/disjoint_book.hpp"
#include "search/tree/branching.hpp"

namespace kpm {

namespace {

/// One bid of `width` at a limit of .5.
Corners one_bid(double width) {
  Corners corners;
  corners.price = {0.0, 0.5, 0.5, 1.0};
  corners.demand = {width, width, 0.0, 0.0};
  return corners;
}

/// Two claims of which the second is twice as far off its staircase.
Split choose(double gap, const PseudoCosts& costs) {
  const std::vector<Corners> all{one_bid(1.0), one_bid(2.0)};
  const Array prices = Array::Constant(2, 0.75);
  Array demand(2);
  demand << 0.5, 1.0;
  return choose_split(whole(all), all, prices, demand, gap, costs);
}

}  // namespace

TEST(without_experience_the_claim_farthest_from_its_staircase_is_split) {
  for (const double gap : {1e-9, 0.1, 1e3, kInfinity}) {
    const Split split = choose(gap, PseudoCosts(2));
    CHECK(split.claim == 1);
    CHECK(split.area == 0.25);
    CHECK(split.piece == 1);  // between the flat at its price and the step at its demand
  }
}

/// Bids at .2, .4, .6 and .8, and a point off the staircase on either side.
TEST(a_run_is_split_beside_the_piece_at_its_price) {
  Corners bids;
  bids.price = {0.0, 0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1.0};
  bids.demand = {4.0, 4.0, 3.0, 3.0, 2.0, 2.0, 1.0, 1.0, 0.0, 0.0};
  const auto split = [&](double price, double demand) {
    return choose_split(whole({bids}), {bids}, Array::Constant(1, price),
                        Array::Constant(1, demand), 1.0, PseudoCosts(1));
  };
  CHECK(split(0.3, 0.5).piece ==
        2);  // on the flat between .2 and .4: this is the lower half's last
  CHECK(split(0.7, 3.5).piece == 5);  // between .6 and .8: the upper half's first is number 6
  CHECK_NEAR(split(0.3, 0.5).area, 0.5 * 2.5, 1e-12);
  CHECK(split(0.1, 0.0).piece == 0);
  CHECK(split(0.9, 4.0).piece == 7);
}

TEST(a_box_without_a_bound_leaves_splits_with_scores) {
  PseudoCosts costs(2);
  for (const bool upper : {false, true}) {
    costs.learn({0, upper, 0.1, kInfinity}, 1.0);
  }
  for (const double gap : {0.1, kInfinity}) {
    const Split split = choose(gap, costs);
    CHECK(split.claim == 1 && split.score > 0.0);
  }
}

/// Each claim has one bid, both ends of which are worth the same, and demand off it: what it is
/// worth on its staircase is less by the curvature over that distance alone.
TEST(the_curvature_tells_which_of_disjoint_claims_its_hull_overstates_most) {
  test::Random random(4);
  int chosen = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const test::RandomBook book = test::disjoint_book(random, 60);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    if (market.kind != Ambiguity::kBall) {
      continue;
    }
    const int claims = market.claims();
    const double ambiguity_price = 0.01 + random.uniform();
    Multipliers multipliers(market);
    multipliers.set(market, 0.0);
    const CurvedWorth curved(market, multipliers, ambiguity_price);
    CHECK(curved.is_known());
    std::vector<Corners> all;
    Array prices(claims);
    Array demand(claims);
    double most = 0.0;
    int farthest = -1;
    for (int k = 0; k < claims; ++k) {
      // Both corners of the bid are worth the same at the claim's value.
      const double value = multipliers.value()[k];
      const double width = 0.5 + random.uniform();
      Corners corners;
      corners.price = {0.0, value, value, 1.0};
      corners.demand = {width, width, 0.0, 0.0};
      all.push_back(corners);
      prices[k] = value;
      demand[k] = -width * random.uniform();  // so far below its staircase
      const double bend = value * (1.0 - value) * (market.risk_aversion + 1.0 / ambiguity_price);
      const double lost = 0.5 * bend * demand[k] * demand[k];
      if (lost > most) {
        most = lost;
        farthest = k;
      }
    }
    const Split split =
        choose_split(whole(all), all, prices, demand, most, PseudoCosts(claims), &curved);
    CHECK(split.claim == farthest);
    CHECK_NEAR(split.area, most, 1e-12);
    // Where demand is on the staircase the curvature says nothing, and the price is what is off.
    const Array none = Array::Zero(claims);
    prices *= 0.5;
    const Split by_area = choose_split(whole(all), all, prices, none, most, PseudoCosts(claims));
    const Split by_price =
        choose_split(whole(all), all, prices, none, most, PseudoCosts(claims), &curved);
    CHECK(by_area.area > 0.0 && by_price.claim == by_area.claim);
    CHECK_NEAR(by_price.area, 0.1 * by_area.area, 1e-15);
    ++chosen;
  }
  CHECK(chosen > 20);
}

TEST(splits_to_try_are_those_that_promise_most) {
  test::Random random(3);
  for (int trial = 0; trial < 200; ++trial) {
    const int claims = 1 + random.below(6);
    std::vector<Corners> all;
    PseudoCosts costs(claims);
    Array prices(claims);
    Array demand(claims);
    for (int k = 0; k < claims; ++k) {
      all.push_back(one_bid(1.0 + random.below(2)));
      prices[k] = 0.25 * (1 + random.below(3));  // at half a claim is on its step
      demand[k] = 0.5;
      costs.learn({k, random.below(2) == 0, 0.1, 1.0}, 1.0 - 0.1 * random.below(3));
    }
    Box box = whole(all);
    if (random.below(2) == 0) {
      box.first[0] = box.last[0] = 1;
    }
    std::vector<Split> splits;
    choose_splits(box, all, prices, demand, 1.0, costs, 3, splits);
    std::vector<Split> every;
    choose_splits(box, all, prices, demand, 1.0, costs, all.size(), every);
    int off = 0;
    for (int k = 0; k < claims; ++k) {
      const auto at = static_cast<std::size_t>(k);
      off += prices[k] != 0.5 && box.first[at] < box.last[at] ? 1 : 0;
    }
    CHECK(every.size() == static_cast<std::size_t>(off));
    CHECK(splits.size() == std::min<std::size_t>(every.size(), 3));
    for (std::size_t n = 0; n < every.size(); ++n) {
      CHECK(every[n].score == costs.score(every[n].claim, every[n].area, 1.0));
      CHECK(n == 0 || every[n - 1].score >= every[n].score);
      CHECK(n >= splits.size() || splits[n].claim == every[n].claim);
    }
    if (!splits.empty()) {
      const Split best = choose_split(box, all, prices, demand, 1.0, costs);
      CHECK(best.claim == splits[0].claim && best.piece == splits[0].piece);
    }
  }
}

TEST(a_claim_whose_splits_help_on_both_sides_is_preferred) {
  PseudoCosts costs(2);
  for (const bool upper : {false, true}) {
    costs.learn({0, upper, 0.1, 1.0}, 0.9);
    costs.learn({1, upper, 0.1, 1.0}, 0.999);
  }
  CHECK(choose(1.0, costs).claim == 0);
}

TEST(a_claim_whose_splits_help_on_one_side_only_is_not) {
  PseudoCosts costs(2);
  for (int time = 0; time < 10; ++time) {
    costs.learn({1, false, 0.1, 1.0}, 0.0);
    costs.learn({1, true, 0.1, 1.0}, 1.0);
    for (const bool upper : {false, true}) {
      costs.learn({0, upper, 0.1, 1.0}, 0.8);
    }
  }
  CHECK(choose(10.0, costs).claim == 0);
}

TEST(what_cannot_be_learnt_from_changes_nothing) {
  PseudoCosts costs(2);
  costs.learn({}, 0.0);                         // the root
  costs.learn({1, true, 0.1, kInfinity}, 1.0);  // of a box that nothing had bounded
  costs.learn({0, false, 0.0, 1.0}, 0.0);       // on its staircase
  costs.learn({0, false, 0.1, 1.0}, 1.0e-3);    // something, ...
  const double before = costs.score(1, 0.1, 1.0);
  costs.learn({}, 0.0);
  CHECK(costs.score(1, 0.1, 1.0) == before);
  costs.learn({1, true, 0.1, 1.0}, 2.0);  // a bound that rose counts as one that stayed
  CHECK(costs.score(1, 0.1, 1.0) < before);
}

}  // namespace kpm
