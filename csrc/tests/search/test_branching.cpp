#include "check.hpp"
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

TEST(halves_of_a_node_without_a_bound_teach_nothing) {
  PseudoCosts costs(2);
  for (const bool upper : {false, true}) {
    costs.learn({1, upper, 0.1, kInfinity}, 0.9);
  }
  const Split split = choose(0.1, costs);
  CHECK(split.claim == 1);
  CHECK(costs.score(0, 0.5, 0.1) == PseudoCosts(2).score(0, 0.5, 0.1));
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
  costs.learn({}, 0.0);                       // the root
  costs.learn({0, false, 0.0, 1.0}, 0.0);     // on its staircase
  costs.learn({0, false, 0.1, 1.0}, 1.0e-3);  // something, ...
  const double before = costs.score(1, 0.1, 1.0);
  costs.learn({}, 0.0);
  CHECK(costs.score(1, 0.1, 1.0) == before);
  costs.learn({1, true, 0.1, 1.0}, 2.0);  // a bound that rose counts as one that stayed
  CHECK(costs.score(1, 0.1, 1.0) < before);
}

}  // namespace kpm
