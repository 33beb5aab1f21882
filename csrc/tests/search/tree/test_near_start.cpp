// A relaxation that starts from multipliers near its own: the same bound, sooner.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "ipm/disjoint_book.hpp"
#include "ipm/predictor_corrector.hpp"
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

/// Next to no aversion, and an ambiguity a millionth short of every distribution: solves start from
/// vast losses, whose rounding once made the entropy of state prices negative.
TEST(state_prices_of_a_relaxation_have_an_entropy) {
  test::Random random(19);
  double least = kInfinity;
  for (int trial = 0; trial < 40; ++trial) {
    test::RandomBook book = test::disjoint_book(random, 400, 64);
    const auto states = static_cast<int>(book.prior.size());
    for (int i = 0; i < states; i += 10) {
      book.prior[static_cast<std::size_t>(random.below(states))] = 1e-12;
    }
    const double all = std::accumulate(book.prior.begin(), book.prior.end(), 0.0);
    double rarest = 1.0;
    for (double& prior : book.prior) {
      prior /= all;
      rarest = std::min(rarest, prior);
    }
    book.ambiguity = -0.999999 * std::log(rarest);
    book.risk_aversion = std::exp(random.uniform(-30.0, -15.0));
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket market(book.market(), stairs);
    const std::vector<Corners> corners = find_corners(market, stairs);
    Arena arena;
    RelaxationProgram program(market, corners, arena);
    solve(program, whole(corners), nullptr, -kInfinity);
    least = std::min(least, program.multipliers().divergence);
  }
  CHECK_AT_MOST(0.0, least, 0.0);
}

}  // namespace kpm
