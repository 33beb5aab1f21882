#include "prices/analytic_centre.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "numerics/arena.hpp"
#include "numerics/semidefinite_cholesky.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr int kSteps = 400;
constexpr double kToBoundary = 0.99;  // of the way to where a denominator vanishes
constexpr double kDecrease = 1e-4;    // of what the slope promises
constexpr int kHalvings = 50;
constexpr double kNoDecrease = 1e-14;  // of the objective: what the slope promises is rounding
constexpr int kNoGain = 3;             // steps without one: rounding
constexpr double kFall = 0.5;          // of a price: more is no last digit,
constexpr double kRise = 2.0;          // nor is this

/// One end of a range, or a price that is known.
struct Row {
  const double* payoff;
  double limit;
  double sign;  // c = sign (payoff - limit)
  bool end;     // of a range: its multiplier must not be negative
  double x = 0.0;
  double slope = 0.0;  // c.g
};

class Centre {
 public:
  Centre(const Matrix& payoffs, const ArrayView& w, const ArrayView& low, const ArrayView& high,
         Checkpoint* checkpoint);

  bool find();
  const Slice& prices() const { return g_; }

 private:
  double entry(const Row& row, Eigen::Index i) const {
    return row.sign * (row.payoff[i] - row.limit);
  }
  void evaluate();
  void price_out();
  double missed() const;
  void choose_rows();
  void direction();
  void meet_prices();
  bool find_direction();
  bool advance();

  Checkpoint* const checkpoint_;
  const ArrayView w_;
  const Eigen::Index n_;
  std::vector<Row> rows_;
  std::vector<std::size_t> active_;
  Arena arena_;
  Slice g_, denominator_, change_, tried_;
  MatrixSlice scaled_, system_;
  Slice step_;
  SemidefiniteCholesky factor_;
};

std::vector<Row> rows_of(const Matrix& payoffs, const ArrayView& low, const ArrayView& high) {
  std::vector<Row> rows;
  for (Eigen::Index k = 0; k < payoffs.rows(); ++k) {
    const double* const payoff = &payoffs(k, 0);
    const auto [least, most] = std::minmax_element(payoff, payoff + payoffs.cols());
    if (low[k] == high[k]) {
      if (*least < *most) {  // a constant claim has its price anyway
        rows.push_back({payoff, low[k], 1.0, false});
      }
      continue;
    }
    if (low[k] > *least) {
      rows.push_back({payoff, low[k], 1.0, true});
    }
    if (high[k] < *most) {
      rows.push_back({payoff, high[k], -1.0, true});
    }
  }
  return rows;
}

Centre::Centre(const Matrix& payoffs, const ArrayView& w, const ArrayView& low,
               const ArrayView& high, Checkpoint* checkpoint)
    : checkpoint_(checkpoint),
      w_(w),
      n_(w.size()),
      rows_(rows_of(payoffs, low, high)),
      g_(arena_.array(n_)),
      denominator_(arena_.array(n_)),
      change_(arena_.array(n_)),
      tried_(arena_.array(n_)),
      scaled_(arena_.matrix(static_cast<Eigen::Index>(rows_.size()), n_)),
      system_(arena_.matrix(scaled_.rows(), scaled_.rows())),
      step_(arena_.array(scaled_.rows())),
      factor_(scaled_.rows(), arena_) {
  active_.reserve(rows_.size());
}

void Centre::evaluate() {
  denominator_.setOnes();
  for (const Row& row : rows_) {
    if (row.x != 0.0) {
      for (Eigen::Index i = 0; i < n_; ++i) {
        denominator_[i] -= row.x * entry(row, i);
      }
    }
  }
  g_ = w_ / denominator_;
  price_out();
}

void Centre::price_out() {
  const double sum = g_.sum();
  for (Row& row : rows_) {
    row.slope = row.sign * (dot(row.payoff, g_.data(), n_) - row.limit * sum);
  }
}

/// By how much prices miss their ranges at most; rows with a multiplier must be met exactly.
double Centre::missed() const {
  double most = 0.0;
  for (const Row& row : rows_) {
    const bool held = !row.end || row.x > 0.0;
    most = std::max(most, held ? std::abs(row.slope) : -row.slope);
  }
  return most / g_.sum();
}

void Centre::choose_rows() {
  active_.clear();
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (!rows_[r].end || rows_[r].x > 0.0 || rows_[r].slope < 0.0) {
      active_.push_back(r);
    }
  }
}

/// Newton's step of the active rows' multipliers, into step_.
void Centre::direction() {
  const auto count = static_cast<Eigen::Index>(active_.size());
  for (Eigen::Index r = 0; r < count; ++r) {
    const Row& row = rows_[active_[static_cast<std::size_t>(r)]];
    for (Eigen::Index i = 0; i < n_; ++i) {
      scaled_(r, i) = entry(row, i) * tried_[i];
    }
    for (Eigen::Index l = 0; l <= r; ++l) {
      system_(r, l) = dot(&scaled_(r, 0), &scaled_(l, 0), n_);
    }
    step_[r] = -row.slope;
  }
  factor_.compute(system_.data(), system_.cols(), count);
  factor_.solve_in_place(step_.data());
}

/// A direction along which no multiplier at zero becomes negative. False where there is none.
bool Centre::find_direction() {
  tried_ = g_ / w_.sqrt();  // roots of the weights w / denominator^2
  choose_rows();
  while (!active_.empty()) {
    direction();
    std::size_t worst = active_.size();
    for (std::size_t r = 0; r < active_.size(); ++r) {
      const Row& row = rows_[active_[r]];
      const double step = step_[static_cast<Eigen::Index>(r)];
      if (row.end && row.x == 0.0 && step < 0.0 &&
          (worst == active_.size() || step < step_[static_cast<Eigen::Index>(worst)])) {
        worst = r;
      }
    }
    if (worst == active_.size()) {
      return true;
    }
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(worst));
  }
  return false;
}

/// One step: as far as the objective improves, at most to where a row becomes inactive. False where
/// rounding leaves no step.
bool Centre::advance() {
  change_.setZero();
  double promised = 0.0;
  double along = 1.0;
  std::size_t leaving = active_.size();
  for (std::size_t r = 0; r < active_.size(); ++r) {
    const Row& row = rows_[active_[r]];
    const double step = step_[static_cast<Eigen::Index>(r)];
    promised += step * row.slope;
    for (Eigen::Index i = 0; i < n_; ++i) {
      change_[i] -= step * entry(row, i);
    }
    if (row.end && step < 0.0 && row.x + along * step <= 0.0) {
      along = -row.x / step;
      leaving = r;
    }
  }
  const double inverse_step = -(change_ / denominator_).minCoeff();
  if (along * inverse_step > kToBoundary) {
    along = kToBoundary / inverse_step;
    leaving = active_.size();
  }
  for (int halving = 0; halving < kHalvings; ++halving) {
    const double gain = (w_ * (along * change_ / denominator_).log1p()).sum();  // of -objective
    // Near the end the decrease that the slope promises is less than the rounding of the sum.
    if (gain >= -kDecrease * along * promised || -along * promised < kNoDecrease) {
      for (std::size_t r = 0; r < active_.size(); ++r) {
        Row& row = rows_[active_[r]];
        row.x = r == leaving ? 0.0 : row.x + along * step_[static_cast<Eigen::Index>(r)];
        row.x = row.end ? std::max(row.x, 0.0) : row.x;
      }
      return true;
    }
    along *= 0.5;
    leaving = active_.size();
  }
  return false;
}

/// The last digits, which denominators near zero lose: g takes the least relative change that gives
/// the active rows their prices.
void Centre::meet_prices() {
  active_.clear();
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (!rows_[r].end || rows_[r].x > 0.0) {
      active_.push_back(r);
    }
  }
  tried_ = g_.sqrt();
  direction();
  change_.setOnes();
  for (std::size_t r = 0; r < active_.size(); ++r) {
    for (Eigen::Index i = 0; i < n_; ++i) {
      change_[i] += step_[static_cast<Eigen::Index>(r)] * entry(rows_[active_[r]], i);
    }
  }
  if (change_.minCoeff() > kFall && change_.maxCoeff() < kRise) {
    g_ *= change_;
    g_ /= g_.sum();
  }
}

bool Centre::find() {
  double best = std::numeric_limits<double>::infinity();
  Array kept(n_);
  int without_gain = 0;
  for (int step = 0; step < kSteps; ++step) {
    if (checkpoint_ != nullptr) {
      const auto rows = static_cast<double>(rows_.size());
      checkpoint_->pass(rows * rows * (rows + static_cast<double>(n_)));
    }
    evaluate();
    const double off = missed();
    if (off < best) {
      best = off;
      kept = g_;
      without_gain = 0;
    } else if (best <= kPriceTolerance && ++without_gain == kNoGain) {
      break;
    }
    if (off <= kPricesAgree || !find_direction() || !advance()) {
      break;
    }
  }
  if (!(best <= kPriceTolerance)) {
    return false;
  }
  g_ = kept / kept.sum();
  price_out();
  if (missed() > kPricesAgree) {
    meet_prices();
  }
  return true;
}

}  // namespace

bool find_analytic_centre(const Matrix& payoffs, const ArrayView& w, const ArrayView& low,
                          const ArrayView& high, Array& g, Checkpoint* checkpoint) {
  Centre centre(payoffs, w, low, high, checkpoint);
  if (!centre.find()) {
    return false;
  }
  g = centre.prices();
  return true;
}

}  // namespace kpm
