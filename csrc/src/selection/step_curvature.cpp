#include "selection/step_curvature.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "numerics/arena.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "risk/risk_curvature.hpp"

namespace kpm {

namespace {

class CurvatureMatrix final : public StepCurvature {
 public:
  CurvatureMatrix(const ScaledMarket& market, std::vector<int> claims)
      : market_(market), claims_(std::move(claims)), factor_(size(), arena_) {}

  void move_to(const ArrayView& p, const ArrayView& g, double multiplier) override {
    curvature_ = risk_curvature(market_.payoffs, claims_, p, g, market_.risk_aversion, multiplier);
    both_halves_ = false;
  }

  void take_product(const Array& change, Array& x) override {
    if (!both_halves_) {
      curvature_.triangularView<Eigen::StrictlyUpper>() = curvature_.transpose();
      both_halves_ = true;
    }
    x.matrix().noalias() -= curvature_ * change.matrix();
  }

  void factor(const std::vector<Eigen::Index>& open) override {
    const auto rows = static_cast<Eigen::Index>(open.size());
    if (rows == size()) {
      factor_.compute(curvature_, 0.0);
      return;
    }
    block_.resize(open.size() * open.size());
    for (Eigen::Index j = 0; j < rows; ++j) {
      const Eigen::Index k = open[static_cast<std::size_t>(j)];
      for (Eigen::Index i = 0; i <= j; ++i) {
        block_[static_cast<std::size_t>(j * rows + i)] =
            curvature_(k, open[static_cast<std::size_t>(i)]);
      }
    }
    factor_.compute(block_.data(), rows, rows, 0.0);
  }

  double pivot_of(Eigen::Index row) const override { return factor_.pivot_of(row); }
  void solve_in_place(double* x) const override { factor_.solve_in_place(x); }

 private:
  Eigen::Index size() const { return static_cast<Eigen::Index>(claims_.size()); }

  const ScaledMarket& market_;
  std::vector<int> claims_;
  Arena arena_;
  SemidefiniteCholesky factor_;
  Matrix curvature_;           // its lower triangle
  bool both_halves_ = false;   // or all of it
  std::vector<double> block_;  // of it, of what is open
};

/// Claims that pay one on disjoint sets of states covary only by what they are worth: with G = P g,
///     diag(a G + P (g^2 / p) / nu) - (a + 1 / nu) G G' - c c' / (nu V),
/// c = P (g (g - p) / p) and V = sum (g - p)^2 / p. After some rows of a factor the two squares
/// that are left of the rest are u'M u, so all is O(claims).
class DisjointStepCurvature final : public StepCurvature {
 public:
  DisjointStepCurvature(const ScaledMarket& market, const std::vector<int>& claims)
      : market_(market),
        at_(static_cast<std::size_t>(market.claims()), -1),
        diagonal_(static_cast<Eigen::Index>(claims.size())),
        squares_(claims.size()) {
    for (std::size_t k = 0; k < claims.size(); ++k) {
      at_[static_cast<std::size_t>(claims[k])] = static_cast<int>(k);
    }
  }

  void move_to(const ArrayView& p, const ArrayView& g, double multiplier) override {
    diagonal_.setZero();
    std::fill(squares_.begin(), squares_.end(), Pair{});
    const double moves = 1.0 / multiplier;
    double variance = 0.0;
    double drift = 0.0;  // what p and g do not both sum to
    for (Eigen::Index i = 0; i < g.size(); ++i) {
      const double off = g[i] - p[i];
      const double tilt = p[i] > 0.0 ? g[i] / p[i] : 0.0;
      variance += p[i] > 0.0 ? off * off / p[i] : 0.0;
      drift += off;
      const int claim = market_.disjoint.claim_of(i);
      const int k = claim == DisjointClaims::kNone ? -1 : at_[static_cast<std::size_t>(claim)];
      if (k >= 0) {
        Pair& square = squares_[static_cast<std::size_t>(k)];
        square[0] += g[i];
        square[1] += tilt * off;
        diagonal_[k] += g[i] * (market_.risk_aversion + tilt * moves);
      }
    }
    const double all = std::sqrt(market_.risk_aversion + moves);
    const double along = variance > 0.0 ? std::sqrt(moves / variance) : 0.0;
    for (Pair& square : squares_) {
      square = {all * square[0], along * (square[1] - drift * square[0])};
    }
  }

  void take_product(const Array& change, Array& x) override {
    Pair sum{};
    for (std::size_t k = 0; k < squares_.size(); ++k) {
      add(squares_[k], change[static_cast<Eigen::Index>(k)], sum);
    }
    for (std::size_t k = 0; k < squares_.size(); ++k) {
      const auto at = static_cast<Eigen::Index>(k);
      x[at] -= diagonal_[at] * change[at] - product(squares_[k], sum);
    }
  }

  void factor(const std::vector<Eigen::Index>& open) override {
    rows_.clear();
    double m00 = 1.0;
    double m01 = 0.0;
    double m11 = 1.0;
    for (const Eigen::Index k : open) {
      const Pair& u = squares_[static_cast<std::size_t>(k)];
      const Pair left = {m00 * u[0] + m01 * u[1], m01 * u[0] + m11 * u[1]};
      const double pivot = std::max(diagonal_[k] - product(u, left), 0.0);
      const double inverse = pivot > 0.0 ? 1.0 / pivot : 0.0;
      m00 += left[0] * left[0] * inverse;
      m01 += left[0] * left[1] * inverse;
      m11 += left[1] * left[1] * inverse;
      rows_.push_back({pivot, inverse, u, left});
    }
  }

  double pivot_of(Eigen::Index row) const override {
    return rows_[static_cast<std::size_t>(row)].pivot;
  }

  void solve_in_place(double* x) const override {
    Pair before{};
    for (std::size_t j = 0; j < rows_.size(); ++j) {
      x[j] += product(rows_[j].square, before);
      x[j] *= rows_[j].inverse;
      add(rows_[j].left, x[j], before);
    }
    Pair behind{};
    for (std::size_t j = rows_.size(); j-- > 0;) {
      x[j] += rows_[j].inverse * product(rows_[j].left, behind);
      add(rows_[j].square, x[j], behind);
    }
  }

 private:
  using Pair = std::array<double, 2>;
  struct Row {
    double pivot, inverse;
    Pair square;
    Pair left;  // M times it: less that times later ones is the column under the pivot
  };

  static double product(const Pair& a, const Pair& b) { return a[0] * b[0] + a[1] * b[1]; }
  static void add(const Pair& a, double times, Pair& sum) {
    sum[0] += times * a[0];
    sum[1] += times * a[1];
  }

  const ScaledMarket& market_;
  std::vector<int> at_;  // (claims of the market) their numbers here, or none
  Array diagonal_;
  std::vector<Pair> squares_;
  std::vector<Row> rows_;
};

}  // namespace

std::unique_ptr<StepCurvature> StepCurvature::of(const ScaledMarket& market,
                                                 std::vector<int> claims) {
  if (market.disjoint.disjoint()) {
    return std::make_unique<DisjointStepCurvature>(market, claims);
  }
  return std::make_unique<CurvatureMatrix>(market, std::move(claims));
}

}  // namespace kpm
