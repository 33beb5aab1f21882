// A relaxation that starts from multipliers near its own: the same bound, sooner.
#include "ipm/predictor_corrector.hpp"
#include "random_book.hpp"
#include "search/tree/relaxation_program.hpp"

namespace kpm {
namespace {

constexpr double kGap = 1e-9;

/// How many iterations the bound of a box takes; none where rounding ends them before.
int solve(RelaxationProgram& program, const Box& box, const Multipliers* from, double incumbent) {
  int iterations = 0;
  program.load(box, from, incumbent, 0.0, 2);
  program.forget();
  run_predictor_corrector(program, kGap, Attempt{0.1, 0.2}, 60, iterations, [] {});
  return program.gap() <= kGap ? iterations : 0;
}

}  // namespace

TEST(relaxations_from_near_multipliers_take_fewer_iterations) {
  test::Random random(18);
  int solved = 0;
  int afresh = 0;
  int near = 0;
  for (int trial = 0; trial < 60; ++trial) {
    test::RandomBook book(random, 4 + random.below(8), 3 + random.below(6), 80);
    book.ambiguity = trial % 2 == 0 ? 0.1 : 0.0;
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const std::vector<Corners> corners = find_corners(market, stairs);
    const Box box = whole(corners);
    Arena arena;
    RelaxationProgram program(market, corners, arena);
    const int first = solve(program, box, nullptr, -kInfinity);
    const Multipliers found = program.multipliers();
    const double bound = program.bound();
    // A clearing so good that the multipliers count as near, and no better.
    const int second = solve(program, box, &found, bound - 1e-5);
    if (first > 0 && second > 0) {
      CHECK_NEAR(program.bound(), bound, 2.0 * kGap);
      ++solved;
      afresh += first;
      near += second;
    }
  }
  CHECK(solved > 40);
  CHECK(10 * near < 9 * afresh);
}

}  // namespace kpm
