#include "ipm/narrow_system.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/products.hpp"

namespace kpm {

namespace {

// So little that programs take as many iterations as with factors of the claims' size, and enough
// for a correction to find what the subtraction loses.
constexpr double kLift = 1e-12;
constexpr int kCorrections = 6;
constexpr double kSolved = 1e-15;  // of the right-hand side
constexpr double kImproves = 0.9;  // a correction that leaves more than this is the last

/// out += a' diag(weight) b; of a square only the lower triangle. Along rows, so that no addition
/// waits for the one before.
void add_weighted(const MatrixSlice& a, const MatrixSlice& b, const Slice& weight, bool square,
                  MatrixSlice& out) {
  using Two = Eigen::Array2d;
  using View = Eigen::Map<const Two>;
  for (Eigen::Index k = 0; k < a.rows(); k += 4) {
    double times[4] = {};
    const double* row[4];
    for (Eigen::Index r = 0; r < 4; ++r) {  // of fewer than four the last one again, for nothing
      row[r] = b.data() + std::min(k + r, a.rows() - 1) * b.cols();
    }
    for (Eigen::Index i = 0; i < a.cols(); ++i) {
      for (Eigen::Index r = 0; r < 4 && k + r < a.rows(); ++r) {
        times[r] = weight[k + r] * a(k + r, i);
      }
      const Eigen::Index length = square ? i + 1 : b.cols();
      double* const sums = out.data() + i * out.cols();
      Eigen::Index j = 0;
      for (; j + 1 < length; j += 2) {
        Eigen::Map<Two>(sums + j) += (times[0] * View(row[0] + j) + times[1] * View(row[1] + j)) +
                                     (times[2] * View(row[2] + j) + times[3] * View(row[3] + j));
      }
      if (j < length) {
        sums[j] += (times[0] * row[0][j] + times[1] * row[1][j]) +
                   (times[2] * row[2][j] + times[3] * row[3][j]);
      }
    }
  }
}

void set_identity(MatrixSlice& matrix) {
  std::fill_n(matrix.data(), matrix.size(), 0.0);
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    matrix(i, i) = 1.0;
  }
}

double square_of_row(const MatrixSlice& rows, Eigen::Index k) {
  const double* const row = rows.data() + k * rows.cols();
  return dot(row, row, rows.cols());
}

}  // namespace

NarrowSystem::NarrowSystem(Eigen::Index claims, Eigen::Index prices, Eigen::Index risks,
                           Arena& arena)
    : risk_square_(arena.array(claims)),
      price_unit_(arena.array(claims)),
      risk_unit_(arena.array(claims)),
      own_(arena.array(claims)),
      across_(arena.array(claims)),
      other_(arena.array(claims)),
      of_prices_(arena.matrix(prices, prices)),
      of_risks_(arena.matrix(risks, risks)),
      between_(arena.matrix(prices, risks)),
      price_factor_(prices, arena),
      risk_factor_(risks, arena),
      pushed_prices_(arena.array(prices)),
      pushed_risks_(arena.array(risks)),
      line_(arena.array(risks)),
      x_(arena.array(claims)),
      e_(arena.array(claims)),
      dx_(arena.array(claims)),
      de_(arena.array(claims)),
      by_prices_(arena.array(claims)),
      by_risks_(arena.array(claims)) {}

void NarrowSystem::factor(const MatrixSlice& prices, const MatrixSlice& risks, const Slice& alone,
                          const Slice& slope) {
  prices_ = &prices;
  risks_ = &risks;
  alone_ = &alone;
  slope_ = &slope;
  for (Eigen::Index k = 0; k < alone.size(); ++k) {
    const double of_prices = square_of_row(prices, k);
    const double of_risks = square_of_row(risks, k);
    risk_square_[k] = of_risks;
    // A claim that no state prices move and that has no room has no price to solve for.
    const double diagonal = alone[k] + of_prices;
    price_unit_[k] = diagonal > 0.0 ? 1.0 / std::sqrt(diagonal) : 0.0;
    risk_unit_[k] = 1.0 / std::sqrt(1.0 + of_risks);
    const double lifted = std::max(alone[k], kLift * of_prices);
    const double unit = std::max(1.0, kLift * of_risks);
    const double det = lifted * unit + slope[k] * slope[k];
    const double inverse = det > 0.0 ? 1.0 / det : 0.0;
    own_[k] = lifted * inverse;
    across_[k] = slope[k] * inverse;
    other_[k] = unit * inverse;
  }
  set_identity(of_risks_);
  add_weighted(risks, risks, own_, true, of_risks_);
  risk_factor_.compute(of_risks_, 0.0);
  set_identity(of_prices_);
  add_weighted(prices, prices, other_, true, of_prices_);
  if (risks.cols() > 0) {
    std::fill_n(between_.data(), between_.size(), 0.0);
    add_weighted(prices, risks, across_, false, between_);
    for (Eigen::Index i = 0; i < prices.cols(); ++i) {
      std::copy_n(between_.data() + i * risks.cols(), risks.cols(), line_.data());
      risk_factor_.solve_in_place(line_.data());
      for (Eigen::Index j = i; j < prices.cols(); ++j) {
        of_prices_(j, i) += dot(between_.data() + j * risks.cols(), line_.data(), risks.cols());
      }
    }
  }
  price_factor_.compute(of_prices_, 0.0);
}

/// (T + F F')^-1 with T lifted.
void NarrowSystem::apply_inverse(Slice& x, Slice& e) {
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    const double moved = other_[k] * x[k] - across_[k] * e[k];
    e[k] = across_[k] * x[k] + own_[k] * e[k];
    x[k] = moved;
  }
  multiply_transposed(*prices_, x, pushed_prices_);
  multiply_transposed(*risks_, e, pushed_risks_);
  std::copy_n(pushed_risks_.data(), line_.size(), line_.data());
  risk_factor_.solve_in_place(line_.data());
  for (Eigen::Index i = 0; i < pushed_prices_.size(); ++i) {
    pushed_prices_[i] += dot(between_.data() + i * line_.size(), line_.data(), line_.size());
  }
  price_factor_.solve_in_place(pushed_prices_.data());
  multiply_transposed(between_, pushed_prices_, line_);
  for (Eigen::Index i = 0; i < line_.size(); ++i) {
    pushed_risks_[i] -= line_[i];
  }
  risk_factor_.solve_in_place(pushed_risks_.data());
  multiply(*prices_, pushed_prices_, by_prices_);
  multiply(*risks_, pushed_risks_, by_risks_);
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    x[k] -= other_[k] * by_prices_[k] - across_[k] * by_risks_[k];
    e[k] -= across_[k] * by_prices_[k] + own_[k] * by_risks_[k];
  }
}

/// The largest entry in units of the rows.
double NarrowSystem::size(const Slice& x, const Slice& e) const {
  double largest = 0.0;
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    largest = std::max({largest, std::abs(x[k] * price_unit_[k]), std::abs(e[k] * risk_unit_[k])});
  }
  return largest;
}

/// What (x, e) leave of the right-hand sides, into (dx, de).
void NarrowSystem::find_residual(const Slice& x, const Slice& e) {
  multiply_transposed(*prices_, x, pushed_prices_);
  multiply_transposed(*risks_, e, pushed_risks_);
  multiply(*prices_, pushed_prices_, dx_);
  multiply(*risks_, pushed_risks_, de_);
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    dx_[k] = x_[k] - ((*alone_)[k] * x[k] + dx_[k] + (*slope_)[k] * e[k]);
    de_[k] = e_[k] - (e[k] + de_[k] - (*slope_)[k] * x[k]);
  }
}

void NarrowSystem::solve_in_place(Slice& x, Slice& e) {
  std::copy_n(x.data(), x.size(), x_.data());
  std::copy_n(e.data(), e.size(), e_.data());
  apply_inverse(x, e);
  double before = size(x_, e_);
  const double solved = kSolved * before;
  for (int correction = 0; correction < kCorrections; ++correction) {
    find_residual(x, e);
    const double left = size(dx_, de_);
    if (!(left > solved) || left > kImproves * before) {
      return;
    }
    before = left;
    apply_inverse(dx_, de_);
    for (Eigen::Index k = 0; k < x.size(); ++k) {
      x[k] += dx_[k];
      e[k] += de_[k];
    }
  }
}

}  // namespace kpm
