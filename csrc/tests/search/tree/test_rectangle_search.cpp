#include <algorithm>
#include <cmath>

#include "ipm/disjoint_book.hpp"
#include "risk/risk_measure.hpp"
#include "search/tree/branch_and_bound.hpp"
#include "search/tree/rectangle_search.hpp"

namespace kpm {

namespace {

/// Limits all apart, on small and large stakes, and an ambiguity between none and all.
test::RandomBook smooth_book(test::Random& random, int claims, int orders, double averse) {
  const bool covering = random.below(2) == 0;
  const int states = claims + (covering ? 0 : 1 + random.below(20));
  test::RandomBook book(random, states, claims, orders);
  std::fill(book.payoffs.begin(), book.payoffs.end(), 0.0);
  for (int i = 0; i < states; ++i) {
    const int claim = i < claims ? i : random.below(claims + 1);
    const bool pays = claim < claims && (covering || i + 1 < states);
    if (pays) {
      double* const row = book.payoffs.data() + static_cast<std::ptrdiff_t>(claim) * states;
      row[i] = 1.0;
    }
  }
  for (double& price : book.price) {
    price = std::exp(random.uniform(-0.5, 0.5)) / claims;
  }
  const double stake = std::exp(random.uniform(-3.0, 3.0));
  for (double& quantity : book.quantity) {
    quantity *= stake;
  }
  for (double& held : book.inventory) {
    held *= random.below(2) == 0 ? 0.0 : stake;
  }
  book.risk_aversion = averse * std::exp(random.uniform(-6.0, 0.0)) / stake;
  book.ambiguity = std::exp(random.uniform(-5.0, -1.0));
  return book;
}

/// A book, and clearings that are climbed to from random state prices.
struct Setting {
  Setting(test::Random& random, int claims, int orders, double averse = 1.0)
      : book(smooth_book(random, claims, orders, averse)),
        stairs(compile_staircases(book.market(), book.book())),
        market(book.market(), stairs),
        corners(find_corners(market, stairs)),
        checkpoint(token),
        cells(market, corners, arena, checkpoint),
        measure(market, arena) {}

  bool solve(test::Random& random) {
    const Array xi = test::random_distribution(random, market.states());
    std::vector<int> cell;
    for (int k = 0; k < market.claims(); ++k) {
      const Corners& claim = corners[static_cast<std::size_t>(k)];
      const double price = market.payoffs.row(k).dot(xi.matrix());
      cell.push_back(claim.piece_at_price(0, claim.pieces() - 1, price));
    }
    std::vector<Candidate> found;
    Multipliers anywhere(market);
    anywhere.constant = kInfinity;
    cells.climb(cell, moves, anywhere, found);
    const auto best =
        std::max_element(found.begin(), found.end(),
                         [](const Candidate& a, const Candidate& b) { return a.value < b.value; });
    return best != found.end() && take(*best);
  }

  /// Whether the risk is smooth at a clearing.
  bool take(const Candidate& candidate) {
    clearing = candidate;
    Array loss(market.states());
    market.owe(clearing.optimum->demand, loss);
    loss -= market.inventory;
    point[0] = measure.evaluate(loss);
    point[1] = measure.multiplier();
    return point[1] > 1e-9;
  }

  test::RandomBook book;
  std::vector<Staircase> stairs;
  ScaledMarket market;
  std::vector<Corners> corners;
  StopToken token{[] { return true; }};
  Checkpoint checkpoint;
  Arena arena;
  LocalSearch cells;
  RiskMeasure measure;
  std::vector<CellMove> moves;
  Candidate clearing;
  RiskPoint point{};  // its risk and price of ambiguity
};

/// A rectangle around a point, as large as it or far smaller.
RiskRectangle around(const RiskPoint& point, test::Random& random) {
  RiskRectangle rectangle;
  for (std::size_t side = 0; side < 2; ++side) {
    const double size = point[1] * std::exp(random.uniform(-12.0, 0.0));
    rectangle.low[side] = point[side] - random.uniform() * size;
    rectangle.high[side] = rectangle.low[side] + size;
  }
  return rectangle;
}

}  // namespace

TEST(no_clearing_in_a_rectangle_is_worth_more_than_its_bounds) {
  test::Random random(314);
  int clearings = 0;
  int cut = 0;
  for (int trial = 0; trial < 60; ++trial) {
    Setting setting(random, 24 + random.below(10), 60 + random.below(200));
    CurvedBound curved(setting.market, setting.corners);
    for (int draw = 0; draw < 4; ++draw) {
      if (!setting.solve(random)) {
        continue;
      }
      ++clearings;
      const Candidate& clearing = setting.clearing;
      Box box = whole(setting.corners);
      for (std::size_t k = 0; k < box.first.size(); ++k) {
        box.first[k] = std::max(box.first[k], clearing.cell[k] - random.below(6));
        box.last[k] = std::min(box.last[k], clearing.cell[k] + random.below(6));
      }
      HullPlanes planes(setting.market, setting.corners, box);
      const RiskRectangle rectangle = around(setting.point, random);
      double lambda = random.uniform(-1.0, 1.0) * setting.point[1];
      const double bound = curved.bound(box, rectangle, clearing.value - 1e-11, lambda);
      CHECK_AT_MOST(clearing.value, bound, 1e-11);
      if (std::isfinite(bound)) {
        Box left = box;
        CHECK(curved.cut(lambda, clearing.value - 1e-11, left));
        for (std::size_t k = 0; k < left.first.size(); ++k) {
          CHECK(left.first[k] <= clearing.cell[k] && clearing.cell[k] <= left.last[k]);
          cut += left.last[k] - left.first[k] < box.last[k] - box.first[k] ? 1 : 0;
        }
      }
      for (int n = 0; n < 3; ++n) {
        const RiskPoint touch = {setting.point[0] + random.uniform(-1.0, 1.0) * setting.point[1],
                                 setting.point[1] * std::exp(random.uniform(-1.0, 1.0))};
        planes.add(touch, lambda);
        CHECK_AT_MOST(clearing.value, planes.bound(rectangle, -kInfinity), 1e-11);
      }
    }
  }
  CHECK(clearings > 100);
  CHECK(cut > 200);
}

/// Where a hull's worth turns within less than the space between two doubles.
TEST(a_plane_is_found_however_small_its_price_of_ambiguity) {
  test::Random random(317);
  Setting setting(random, 24, 200);
  CHECK(setting.solve(random));
  const Box box = whole(setting.corners);
  for (const double nu : {1e-10, 1e-20, 1e-100, 1e-300}) {
    HullPlanes planes(setting.market, setting.corners, box);
    double lambda = 0.1;
    planes.add({setting.point[0], nu}, lambda);
    const RiskRectangle there{setting.point, setting.point};
    CHECK_AT_MOST(setting.clearing.value, planes.bound(there, -kInfinity), 1e-9);
  }
}

/// A cell whose rectangle shrinks to its optimum has no gap: the bound counts all the curvature.
TEST(the_bound_of_a_cell_at_its_optimum_is_its_value) {
  test::Random random(315);
  int clearings = 0;
  for (int trial = 0; trial < 100; ++trial) {
    // Next to a loss that ruins it a maker minds others so little that slopes are far below prices.
    const double averse = trial % 2 == 0 ? 1.0 : 100.0;
    Setting setting(random, 24 + random.below(10), 60 + random.below(200), averse);
    CurvedBound curved(setting.market, setting.corners);
    if (!setting.solve(random)) {
      continue;
    }
    ++clearings;
    const Candidate& clearing = setting.clearing;
    RiskRectangle rectangle{setting.point, setting.point};
    for (std::size_t side = 0; side < 2; ++side) {
      rectangle.low[side] -= 1e-9 * setting.point[1];
      rectangle.high[side] += 1e-9 * setting.point[1];
    }
    double lambda = -clearing.optimum->multipliers.mean();
    const Box cell{clearing.cell, clearing.cell};
    const double near = clearing.value - 1e-12;
    CHECK_NEAR(curved.bound(cell, rectangle, near, lambda), clearing.value, 2e-12);
    CHECK_NEAR(curved.middle(cell, lambda).value, clearing.value, 2e-12);
  }
  CHECK(clearings > 50);
}

/// Against the tree of a certificate, whose bounds are those of tangents alone.
TEST(a_search_along_the_risk_leaves_the_best_clearing) {
  test::Random random(316);
  int searched = 0;
  int roughly = 0;  // to what is enough
  for (int trial = 0; trial < 20; ++trial) {
    Setting setting(random, 64, 150 + random.below(100));
    CHECK(RectangleSearch::serves(setting.market));
    TreeSettings settings;
    settings.tolerance = 1e-9;
    settings.token = &setting.token;
    settings.keep_leaves = true;
    settings.node_limit = 2000;
    const TreeResult tree = branch_and_bound(setting.market, setting.corners, settings);
    if (tree.status != Status::kOptimal || !setting.take(tree.candidates.front())) {
      continue;
    }
    const double lambda = -setting.clearing.optimum->multipliers.mean();
    for (const double enough : {0.0, 1e-7}) {
      double best = tree.value - 1e-8;  // as if found by a climb
      RectangleSearch search(setting.market, setting.corners, setting.checkpoint, setting.cells,
                             whole(setting.corners), setting.point, lambda);
      std::vector<Candidate> found;
      const std::optional<RectangleSearch::Left> left = search.run(best, enough, found);
      CHECK_AT_MOST(best, tree.value, 1e-11);
      if (!left) {
        continue;
      }
      ++(enough > 0.0 ? roughly : searched);
      CHECK_AT_MOST(tree.value, std::max(left->bound, best), 1e-11);
      CHECK_AT_MOST(left->bound, best, std::max(1e-10, enough));
      for (const Candidate& candidate : tree.candidates) {
        if (candidate.value <= best) {
          continue;  // found by the search, too
        }
        CHECK(!left->box.first.empty());
        for (std::size_t k = 0; k < candidate.cell.size(); ++k) {
          CHECK(left->box.first[k] <= candidate.cell[k] && candidate.cell[k] <= left->box.last[k]);
        }
      }
    }
  }
  CHECK(searched > 10 && roughly >= searched);
}

}  // namespace kpm
