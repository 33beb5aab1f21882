// What the solver of cells remembers from one cell to the next.
#include "random_book.hpp"
#include "search/local_search.hpp"

namespace kpm {

namespace {

/// Two claims, one a state, each with a limit of .5.
struct Setting {
  StopToken token{[] { return true; }};
  Checkpoint checkpoint{token};
  Arena arena;
  double payoffs[4] = {1.0, 0.0, 0.0, 1.0};
  double prior[2] = {0.5, 0.5};
  double inventory[2] = {0.0, 0.0};
  std::int64_t claim[2] = {0, 1};
  std::int8_t side[2] = {1, 1};
  double price[2] = {0.5, 0.5};
  double quantity[2] = {1.0, 1.0};
  Market market{2, 2, payoffs, prior, inventory, 1.0, kInfinity};
  Orders orders{2, claim, side, price, quantity, nullptr};
  std::vector<Staircase> stairs = compile_staircases(market, orders);
  ScaledMarket scaled{market, stairs};
  std::vector<Corners> corners = find_corners(scaled, stairs);
};

}  // namespace

TEST(a_rough_answer_is_none_to_a_precise_question) {
  Setting setting;
  LocalSearch search(setting.scaled, setting.corners, setting.arena, setting.checkpoint);
  std::vector<Candidate> found;
  const std::vector<int> cell{1, 0};
  search.solve(cell, found, true);
  CHECK(found.size() == 1);
  search.solve(cell, found);
  CHECK(found.size() == 2);
  search.solve(cell, found, true);  // a precise one is one to any
  search.solve(cell, found);
  CHECK(found.size() == 2);
}

TEST(a_climb_ends_where_the_multipliers_leave_no_room) {
  Setting setting;
  const auto cells = [&setting](double shift) {
    LocalSearch search(setting.scaled, setting.corners, setting.arena, setting.checkpoint);
    Multipliers multipliers(setting.scaled);
    multipliers.set(setting.scaled, 0.0);
    multipliers.constant += shift;
    std::vector<CellMove> none;
    std::vector<Candidate> found;
    search.climb({0, 2}, none, multipliers, found);
    return found.size();
  };
  CHECK(cells(0.0) > 1);
  CHECK(cells(-2.0) == 1);  // less than what the first cell is worth
}

TEST(what_reaches_a_cell_is_not_said_to_reach_the_next) {
  Setting setting;
  const auto hull_of = [&setting](const std::vector<int>& cell) {
    Hull hull(2, 4, setting.arena);
    set_cell(hull, setting.corners, cell);
    return hull;
  };
  const Hull idle = hull_of({2, 2});  // both prices above .5: nobody buys
  CellSolver solver(setting.scaled, setting.arena);
  CellSolver fresh(setting.scaled, setting.arena);
  CHECK(solver.reachable(idle));  // at .5 each
  solver.solve(idle, {});         // by what supports no trade
  Hull out = hull_of({2, 2});
  for (int c = 0; c < 4; ++c) {
    out.price[c] = 0.9;  // together more than both pay
  }
  solver.solve(out, {});
  fresh.solve(out, {});
  CHECK(solver.optimum().primal_residual > 0.1);
  CHECK(solver.optimum().primal_residual == fresh.optimum().primal_residual);
}

}  // namespace kpm
