#include <optional>

#include "random_book.hpp"
#include "search/tree/tied_cells.hpp"

namespace kpm {

namespace {

/// The number of cells listed for a claim with one bid, a step of `width`, which is worth .1 of its
/// width less than no trade; no clearing of the node is better than no trade by more than `excess`.
/// Under an ambiguity the risk has a kink at no trade.
std::size_t cells_beside_a_step(double width, double excess, double ambiguity = 0.0) {
  test::Random random(3);
  const test::RandomBook book(random, 2, 1, 1);
  ScaledMarket market(book.market(), compile_staircases(book.market(), book.book()));
  market.inventory.setZero();
  market.ambiguity = ambiguity;
  market.kind = kind_of(market.prior, ambiguity);
  Corners corners;
  corners.price = {0.0, 0.4, 0.4, 1.0};
  corners.demand = {width, width, 0.0, 0.0};
  const std::vector<Corners> all{corners};
  Node node;
  node.box = whole(all);
  node.multipliers = Multipliers(market);
  node.multipliers.value()[0] = 0.5;
  node.bound = excess;
  Arena arena;
  std::optional<TangentBound> tangent;
  return tied_cells(market, {&node}, all, nullptr, 0.0, arena, tangent).size();
}

}  // namespace

/// However small its width, as long as the bound resolves the loss.
TEST(a_step_that_loses_along_its_way_is_left_out_beside_its_end) {
  for (const double width : {1e-3, 1e-5, 5e-7, 2e-8}) {
    CHECK(cells_beside_a_step(width, 0.0) == 1);
  }
}

TEST(a_step_whose_best_point_may_lie_inside_is_listed) {
  CHECK(cells_beside_a_step(5e-8, 1e-13) == 2);  // 2e-5 of it
  CHECK(cells_beside_a_step(1e-3, 1e-13) == 1);
  CHECK(cells_beside_a_step(5e-9, 0.0) == 2);  // it ties even at its far end
}

/// The selection takes demand so near the end of a step that loses firmly to that end.
TEST(a_step_that_loses_firmly_is_left_out_if_its_best_point_lies_near_its_end) {
  CHECK(cells_beside_a_step(1e-7, 4e-14) == 1);  // loses 1e-8, and 4e-6 of it is open
  CHECK(cells_beside_a_step(1e-7, 1e-13) == 2);  // 1e-5
  CHECK(cells_beside_a_step(7e-8, 3e-14) == 2);  // loses less
}

/// What multipliers leave open at a kink, the kink decides: demand costs the maker at once.
TEST(a_step_beside_no_trade_is_left_out_at_a_kink) {
  for (const double ambiguity : {0.1, kInfinity}) {
    CHECK(cells_beside_a_step(1e-3, 1e-13, ambiguity) == 1);
    CHECK(cells_beside_a_step(5e-7, 1e-13, ambiguity) == 1);
    CHECK(cells_beside_a_step(5e-11, 0.0, ambiguity) == 2);
  }
}

}  // namespace kpm
