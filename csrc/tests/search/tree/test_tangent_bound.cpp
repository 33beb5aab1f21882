#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "random_book.hpp"
#include "search/tree/tangent_bound.hpp"

namespace kpm {

namespace {

/// A book, the demand that is supported and a box of pieces around anything.
struct Setting {
  Setting(test::Random& random, const test::RandomBook& book)
      : stairs(compile_staircases(book.market(), book.book())),
        scaled(book.market(), stairs),
        corners(find_corners(scaled, stairs)),
        demand(scaled.claims()) {
    for (int k = 0; k < scaled.claims(); ++k) {
      const Corners& claim = corners[static_cast<std::size_t>(k)];
      const int a = random.below(claim.pieces());
      const int b = random.below(claim.pieces());
      box.first.push_back(std::min(a, b));
      box.last.push_back(random.below(3) == 0 ? std::min(a, b) : std::max(a, b));
      demand[k] = random.uniform(claim.demand.back(), claim.demand.front());
    }
  }

  double demand_in_box(test::Random& random, int k) const {
    const auto at = static_cast<std::size_t>(k);
    return random.uniform(corners[at].demand[static_cast<std::size_t>(box.last[at]) + 1],
                          corners[at].demand[static_cast<std::size_t>(box.first[at])]);
  }

  Array losses(const Array& of) const {
    return (scaled.payoffs.transpose() * of.matrix()).array() - scaled.inventory;
  }

  /// Of a maker whose measure has just found rho(L) and its worst case.
  Array marginal(const RiskMeasure& measure, const Array& loss, double rho) const {
    const Array g = measure.worst_case() * (scaled.risk_aversion * (loss - rho)).exp();
    return g / g.sum();
  }

  std::vector<Staircase> stairs;
  ScaledMarket scaled;
  std::vector<Corners> corners;
  Box box;
  Array demand;
};

}  // namespace

/// The bound on the risk's rise from one claim's demand holds for any demand of the others.
TEST(the_risk_rises_at_least_as_much_as_its_curvature_bound) {
  test::Random random(1711);
  int told = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const int n = 2 + random.below(5);
    const test::RandomBook book(random, n, 1 + random.below(5), 5 + random.below(30));
    const Setting at(random, book);
    Arena arena;
    TangentBound tangent(at.scaled, at.corners, arena);
    if (!tangent.support(at.demand, Array::Zero(at.scaled.claims()))) {
      continue;
    }
    tangent.set_box(at.box);
    RiskMeasure measure(at.scaled, arena);
    const Array loss = at.losses(at.demand);
    const double rho = measure.evaluate(loss);
    const Array g = at.marginal(measure, loss, rho);
    for (int sample = 0; sample < 20; ++sample) {
      Array moved(at.scaled.claims());
      for (int k = 0; k < at.scaled.claims(); ++k) {
        moved[k] = at.demand_in_box(random, k);
      }
      const Array there = at.losses(moved);
      const double rise = measure.evaluate(there) - rho - (g * (there - loss)).sum();
      for (int k = 0; k < at.scaled.claims(); ++k) {
        const double said = tangent.rise(k, std::abs(moved[k] - at.demand[k]));
        CHECK_AT_MOST(said, rise, 1e-13);
        told += said > 0.05 * rise && said > 0.0 ? 1 : 0;
      }
    }
  }
  CHECK(told > 500);  // the bound is often not negligible
}

/// The same at a kink, where g itself lies inside the ambiguity, and where claims that do not move
/// are off by a little: between the tangent of g and the risk there is at least what is said.
TEST(a_kink_is_at_least_as_sharp_as_said) {
  test::Random random(1713);
  int told = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const int n = 2 + random.below(5);
    test::RandomBook book(random, n, 1 + random.below(5), 5 + random.below(30));
    book.ambiguity = trial % 4 == 0 ? kInfinity : random.uniform(0.01, 2.0);
    Setting at(random, book);
    const Array mixed = test::random_distribution(random, n);
    const double share = random.uniform(0.0, 1.0);
    const Array g = (1.0 - share) * at.scaled.prior + share * mixed;
    // Near losses that are all alike, as at a kink.
    at.demand *= trial % 3 == 0 ? 1.0 : 1e-3;
    Arena arena;
    TangentBound tangent(at.scaled, at.corners, arena);
    const Array lambda = Array::Zero(at.scaled.claims());
    const double nats = (g * (g / at.scaled.prior).log()).sum();
    if (!tangent.support_inside(at.demand, g, lambda)) {
      CHECK(at.scaled.kind == Ambiguity::kNone || nats >= at.scaled.ambiguity - 1e-9);
      continue;
    }
    CHECK(nats <= at.scaled.ambiguity);
    // Of claims that do not move, demand for some is off by so little.
    Array off = Array::Zero(at.scaled.claims());
    double wobble = 0.0;
    for (int k = 0; k < at.scaled.claims(); ++k) {
      const auto claim = static_cast<std::size_t>(k);
      if (random.below(3) == 0) {
        at.box.first[claim] = at.box.last[claim] = 0;
        at.demand[k] = at.corners[claim].demand[0];
        at.corners[claim].demand[1] = at.corners[claim].demand[0];
        off[k] = random.uniform(0.0, 1e-3);
        wobble += off[k];
      }
    }
    CHECK(tangent.support_inside(at.demand, g, lambda));
    tangent.set_box(at.box, 0.5 * wobble);
    RiskMeasure measure(at.scaled, arena);
    for (int sample = 0; sample < 20; ++sample) {
      Array moved(at.scaled.claims());
      for (int k = 0; k < at.scaled.claims(); ++k) {
        moved[k] = at.demand_in_box(random, k) + random.uniform(-1.0, 1.0) * off[k];
      }
      const Array there = at.losses(moved);
      const double rise = measure.evaluate(there) - (g * there).sum();
      for (int k = 0; k < at.scaled.claims(); ++k) {
        if (at.box.first[static_cast<std::size_t>(k)] == 0 && off[k] > 0.0) {
          continue;
        }
        const double said = tangent.rise(k, std::abs(moved[k] - at.demand[k]));
        CHECK_AT_MOST(said, rise, 1e-12 * (1.0 + there.abs().maxCoeff()));
        told += said > 1e-3 * rise && said > 0.0 ? 1 : 0;
      }
    }
  }
  CHECK(told > 500);
}

/// Whatever the size of their steps: no clearing in which the demand for a claim is off by more
/// than said falls short of its tangent by so little.
TEST(demand_off_a_kink_is_no_farther_than_said) {
  test::Random random(1714);
  int told = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const int n = 3 + random.below(5);
    test::RandomBook book(random, n, 1 + random.below(n - 1), 5 + random.below(30));
    book.ambiguity = trial % 4 == 0 ? kInfinity : random.uniform(0.01, 2.0);
    Setting at(random, book);
    const double share = random.uniform(0.0, 1.0);
    const Array g = (1.0 - share) * at.scaled.prior + share * test::random_distribution(random, n);
    at.demand *= trial % 3 == 0 ? 1e-3 : 0.0;
    Arena arena;
    TangentBound tangent(at.scaled, at.corners, arena);
    if (!tangent.support_inside(at.demand, g, Array::Zero(at.scaled.claims()))) {
      continue;
    }
    tangent.set_box(at.box);
    RiskMeasure measure(at.scaled, arena);
    for (int sample = 0; sample < 20; ++sample) {
      Array moved = at.demand;
      for (int k = 0; k < at.scaled.claims(); ++k) {
        const auto claim = static_cast<std::size_t>(k);
        const LargeArray<double>& ends = at.corners[claim].demand;
        if (ends[static_cast<std::size_t>(at.box.first[claim])] > at.demand[k] ||
            ends[static_cast<std::size_t>(at.box.last[claim]) + 1] < at.demand[k]) {
          moved[k] += random.uniform(-1.0, 1.0) * std::exp(random.uniform(-12.0, 0.0));
        }
      }
      const Array there = at.losses(moved);
      const double shortfall = measure.evaluate(there) - (g * there).sum();
      for (int k = 0; k < at.scaled.claims(); ++k) {
        if (moved[k] != at.demand[k]) {
          const double off = std::abs(moved[k] - at.demand[k]);
          const double said = tangent.farthest(k, shortfall + 1e-15);
          CHECK_AT_MOST(off, said, 1e-12 * (1.0 + there.abs().maxCoeff()));
          told += said < 100.0 * off ? 1 : 0;
        }
      }
    }
  }
  CHECK(told > 500);
}

/// A box is ruled out only where no clearing of it is worth the threshold.
TEST(tangents_rule_out_what_is_worse) {
  test::Random random(1712);
  int out = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const int n = 2 + random.below(5);
    const test::RandomBook book(random, n, 1 + random.below(4), 5 + random.below(30));
    const Setting at(random, book);
    Arena arena;
    TangentBound tangent(at.scaled, at.corners, arena);
    Array lambda(at.scaled.claims());
    for (double& entry : lambda) {
      entry = random.uniform(-0.3, 0.3);
    }
    const double threshold = random.uniform(-0.5, 0.3);
    if (!tangent.rules_out(at.box, at.demand, lambda, threshold)) {
      continue;
    }
    ++out;
    RiskMeasure measure(at.scaled, arena);
    for (int sample = 0; sample < 20; ++sample) {
      const Array xi = test::random_distribution(random, n);
      Array moved(at.scaled.claims());
      double revenue = 0.0;
      bool inside = true;
      for (int k = 0; k < at.scaled.claims(); ++k) {
        const auto claim = static_cast<std::size_t>(k);
        const double price = at.scaled.payoffs.row(k).dot(xi.matrix());
        int piece = 0;
        while (at.corners[claim].piece(piece).price_high < price) {
          ++piece;
        }
        inside = inside && piece >= at.box.first[claim] && piece <= at.box.last[claim];
        const Piece part = at.corners[claim].piece(piece);
        moved[k] = random.uniform(part.demand_low, part.demand_high);
        revenue += price * moved[k];
      }
      if (inside) {
        CHECK_AT_MOST(revenue - measure.evaluate(at.losses(moved)), threshold, 1e-12);
      }
    }
  }
  CHECK(out > 50);
}

/// Payoffs that replace each other but for the fifth digit or less make a covariance next to
/// singular: what a factor of it in double precision says is no more than the variance.
TEST(the_rise_beside_replaceable_claims_is_no_more_than_exact) {
  test::Random random(1714);
  int told = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const int n = 6 + random.below(20);
    test::RandomBook book(random, n, 4 + random.below(16), 60);
    const double apart = std::pow(10.0, -5.0 - random.below(3));
    const auto states = static_cast<std::size_t>(n);
    for (std::size_t at = 2 * states; at < book.payoffs.size(); ++at) {
      book.payoffs[at] = book.payoffs[at % (2 * states)] * (1.0 + apart * random.uniform());
    }
    const Setting at(random, book);
    Arena arena;
    TangentBound tangent(at.scaled, at.corners, arena);
    if (!tangent.support(at.demand, Array::Zero(at.scaled.claims()))) {
      continue;
    }
    tangent.set_box(at.box);
    RiskMeasure measure(at.scaled, arena);
    const Array loss = at.losses(at.demand);
    const double rho = measure.evaluate(loss);
    const Array g = at.marginal(measure, loss, rho);
    std::vector<int> moving;
    long double reach = 0.0L;
    long double squares = 0.0L;
    for (int k = 0; k < at.scaled.claims(); ++k) {
      const auto claim = static_cast<std::size_t>(k);
      const LargeArray<double>& ends = at.corners[claim].demand;
      const double most =
          std::max(ends[static_cast<std::size_t>(at.box.first[claim])] - at.demand[k],
                   at.demand[k] - ends[static_cast<std::size_t>(at.box.last[claim]) + 1]);
      if (most > 0.0) {
        moving.push_back(k);
        reach += most;
        squares += static_cast<long double>(most) * most;
      }
    }
    using Exact = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
    const auto size = static_cast<Eigen::Index>(moving.size());
    Exact centred(size, n);
    for (Eigen::Index j = 0; j < size; ++j) {
      const auto row = at.scaled.payoffs.row(moving[static_cast<std::size_t>(j)]);
      long double mean = 0.0L;
      for (int i = 0; i < n; ++i) {
        mean += static_cast<long double>(g[i]) * row[i];
      }
      for (int i = 0; i < n; ++i) {
        centred(j, i) = (row[i] - mean) * std::sqrt(static_cast<long double>(g[i]));
      }
    }
    constexpr long double kRegular = 1e-10L;
    Exact covariance = centred * centred.transpose();
    covariance.diagonal().array() += kRegular;
    const Exact inverse = covariance.llt().solve(Exact::Identity(size, size));
    const long double a = at.scaled.risk_aversion;
    for (Eigen::Index j = 0; j < size; ++j) {
      const double distance = random.uniform(0.1, 1.0) * static_cast<double>(reach);
      const long double least =
          static_cast<long double>(distance) * distance / inverse(j, j) - kRegular * squares;
      const long double exact =
          least > 0.0L ? std::log1p(a * least / (2.0L / a + reach)) / a : 0.0L;
      const double said = tangent.rise(moving[static_cast<std::size_t>(j)], distance);
      CHECK_AT_MOST(said, static_cast<double>(exact), 1e-14 * static_cast<double>(exact));
      told += said > 0.9 * static_cast<double>(exact) && said > 0.0 ? 1 : 0;
    }
  }
  CHECK(told > 100);
}

}  // namespace kpm
