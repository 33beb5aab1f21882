#include <algorithm>

#include "ipm/disjoint_book.hpp"
#include "ipm/without_matrices.hpp"
#include "random_book.hpp"
#include "search/neighbour_search.hpp"

namespace kpm {

namespace {

constexpr double kBetter = 1e-9;  // what is not worth a search

/// A book with all that searches need, and its cell at random state prices.
struct Setting {
  Setting(test::Random& random, const test::RandomBook& book, bool knows_disjoint = true)
      : stairs(compile_staircases(book.market(), book.book())),
        scaled(knows_disjoint ? ScaledMarket(book.market(), stairs)
                              : test::without_structure(ScaledMarket(book.market(), stairs))),
        corners(find_corners(scaled, stairs)),
        checkpoint(token),
        search(scaled, corners, arena, checkpoint),
        neighbours(scaled, corners, arena, checkpoint, search) {
    const Array xi = test::random_distribution(random, scaled.states());
    for (int k = 0; k < scaled.claims(); ++k) {
      const Corners& claim = corners[static_cast<std::size_t>(k)];
      const double price = scaled.payoffs.row(k).dot(xi.matrix());
      cell.push_back(claim.piece_at_price(0, claim.pieces() - 1, price));
    }
  }

  double value_of(const std::vector<int>& of) {
    std::vector<Candidate> found;
    search.forget();
    return search.solve(of, found);
  }

  std::vector<Staircase> stairs;
  ScaledMarket scaled;
  std::vector<Corners> corners;
  StopToken token{[] { return true; }};
  Checkpoint checkpoint;
  Arena arena;
  LocalSearch search;
  NeighbourSearch neighbours;
  std::vector<int> cell;
};

}  // namespace

/// Two claims have so few neighbours that all of them are tried.
TEST(no_neighbour_of_the_clearing_that_a_search_ends_at_is_better) {
  test::Random random(1511);
  int better = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const test::RandomBook book(random, 2 + random.below(5), 2, 12);
    Setting setting(random, book);
    std::vector<Candidate> found;
    const double first = setting.search.solve(setting.cell, found);
    if (found.empty()) {
      continue;  // at an end of a price range
    }
    const Candidate from = found.back();
    const double best = setting.neighbours.run(from, found);
    CHECK(best >= first);
    better += best > first ? 1 : 0;
    const auto end = std::find_if(found.begin(), found.end(), [&](const Candidate& candidate) {
      return candidate.value == best;
    });
    CHECK(end != found.end());
    for (std::size_t k = 0; k < 2; ++k) {
      for (int away = -2; away <= 2; ++away) {
        std::vector<int> other = end->cell;
        other[k] += away;
        if (other[k] >= 0 && other[k] < setting.corners[k].pieces()) {
          CHECK_AT_MOST(setting.value_of(other), best, 2.0 * kBetter);
        }
      }
    }
  }
  CHECK(better > 100);
}

/// The curvature of the risk tells which moves of disjoint claims gain, so that many are made at
/// once: the search gets as far with a third of the cells.
TEST(curvature_makes_a_search_among_disjoint_claims_shorter) {
  test::Random random(1513);
  double gained[2] = {};
  std::int64_t cells[2] = {};
  int searched = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const test::RandomBook book = test::disjoint_book(random, 400);
    const test::Random start = random;
    double values[2][2] = {};
    for (const bool known : {false, true}) {
      test::Random same = start;
      Setting setting(same, book, known);
      std::vector<Candidate> found;
      double* const of = values[known ? 1 : 0];
      of[0] = of[1] = setting.search.solve(setting.cell, found);
      if (found.empty()) {
        continue;  // at an end of a price range
      }
      setting.search.reset_counts();
      const Candidate from = found.back();
      of[1] = setting.neighbours.run(from, found);
      CHECK(of[1] >= of[0]);
      gained[known ? 1 : 0] += of[1] - of[0];
      cells[known ? 1 : 0] += setting.search.cells();
      ++searched;
    }
    CHECK_NEAR(values[0][0], values[1][0], 1e-9);
  }
  CHECK(searched > 40);
  CHECK_AT_MOST(gained[0], gained[1], 0.005 * gained[0]);
  CHECK_AT_MOST(static_cast<double>(cells[1]), static_cast<double>(cells[0]) / 3.0, 0.0);
}

TEST(what_a_search_finds_are_clearings_of_their_cells) {
  test::Random random(1512);
  int solved = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const test::RandomBook book =
        trial % 6 == 0 ? test::disjoint_book(random, 60)
                       : test::RandomBook(random, 3 + random.below(8), 3 + random.below(6), 40);
    Setting setting(random, book);
    std::vector<Candidate> found;
    setting.search.solve(setting.cell, found);
    if (found.empty()) {
      continue;
    }
    const Candidate from = found.back();
    setting.neighbours.run(from, found);
    for (const Candidate& candidate : found) {
      CHECK_NEAR(candidate.value, setting.value_of(candidate.cell), 1e-11);
      ++solved;
    }
  }
  CHECK(solved > 200);
}

}  // namespace kpm
