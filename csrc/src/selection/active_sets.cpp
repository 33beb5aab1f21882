#include "selection/active_sets.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "numerics/linear_equations.hpp"
#include "numerics/tolerances.hpp"

namespace kpm {

namespace {

constexpr double kRounding = 1e-14;  // of a step and of what moves its demand
constexpr double kSlope = 1e-13;     // of the regret: a share of a share
constexpr int kTurns = 20;           // of a way's slope, where targets lie on it

/// Small as a rule: plain loops take less room than the library's products.
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix sums = Matrix::Zero(a.rows(), b.cols());
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    for (Eigen::Index j = 0; j < a.cols(); ++j) {
      for (Eigen::Index c = 0; c < b.cols(); ++c) {
        sums(i, c) += a(i, j) * b(j, c);
      }
    }
  }
  return sums;
}

/// Steps and limits are the rows of one matrix: a step's demand has two ends, a limit only one.
class ActiveSets {
 public:
  ActiveSets(const FaceProblem& face, const Array& near)
      : face_(face),
        steps_(face.start.size()),
        rows_(steps_ + face.room.size(), face.directions.cols()),
        held_(static_cast<std::size_t>(rows_.rows()), 0) {
    rows_.topRows(steps_) = face.directions;
    rows_.bottomRows(face.room.size()) = face.limits;
    part();
    t_ = least_norm_solution(rows_.topRows(steps_), (near - face.start).matrix());
  }

  /// Towards the minimum of what is not held, until something holds; false at that minimum.
  bool advance() {
    const Matrix at = product(rows_, t_);
    const Matrix way = newton(at);
    const Matrix towards = product(rows_, way);
    double share = 1.0;
    Eigen::Index holds = -1;
    bool moves = false;
    for (Eigen::Index i = 0; i < rows_.rows(); ++i) {
      moves = moves || (i < steps_ && std::abs(towards(i)) > rounding(i));
      if (held_[static_cast<std::size_t>(i)] != 0 ||
          std::abs(towards(i)) <= kRounding * way.norm()) {
        continue;
      }
      const double left = towards(i) > 0.0 ? above(i) - at(i) : at(i) - below(i);
      if (left < share * std::abs(towards(i))) {
        share = std::max(0.0, left) / std::abs(towards(i));
        holds = i;
      }
    }
    if (!moves) {
      return false;
    }
    const double least = least_along(at, towards, share);
    for (Eigen::Index j = 0; j < t_.size(); ++j) {
      t_(j) += least * way(j);
    }
    if (holds >= 0 && least == share) {
      held_[static_cast<std::size_t>(holds)] = towards(holds) > 0.0 ? 1 : -1;
    }
    return true;
  }

  /// What holds most wrongly no longer does; false if nothing holds wrongly.
  bool release() {
    const Matrix normals = held_rows();
    if (normals.rows() == 0) {
      return false;
    }
    const Matrix at = product(rows_, t_);
    Matrix slope(1, steps_);
    for (Eigen::Index k = 0; k < steps_; ++k) {
      slope(k) = curvature(k, at(k)) * off(k, at(k));
    }
    const Vector push = product(slope, rows_.topRows(steps_)).transpose();
    const Vector pressure = least_norm_solution(normals.transpose(), push);
    double worst = kSlope;
    int* wrong = nullptr;
    Eigen::Index c = 0;
    for (int& held : held_) {
      if (held != 0 && pressure[c++] * held > worst) {
        worst = pressure[c - 1] * held;
        wrong = &held;
      }
    }
    if (wrong != nullptr) {
      *wrong = 0;
    }
    return wrong != nullptr;
  }

  /// Exactly at the ends that are reached.
  Array ends_met() const {
    const Matrix at = product(rows_, t_);
    Array y(steps_);
    for (Eigen::Index k = 0; k < steps_; ++k) {
      const int held = held_[static_cast<std::size_t>(k)];
      y[k] = face_.start[k] + at(k);
      if (held > 0 || (held == 0 && y[k] >= face_.high[k] - rounding(k))) {
        y[k] = face_.high[k];
      } else if (held < 0 || y[k] <= face_.low[k] + rounding(k)) {
        y[k] = face_.low[k];
      }
    }
    return y;
  }

  /// Operations of a pass: two decompositions, and products of the rows with as many columns.
  double work() const {
    const auto d = static_cast<double>(t_.size());
    return d * d * (4.0 * static_cast<double>(rows_.rows()) + d);
  }

 private:
  /// Directions that are as much as can be each other's affair alone, each in shares of a step that
  /// the others leave: what moves a wide step must not leave its rounding in a narrow one.
  void part() {
    for (Eigen::Index c = 0; c < rows_.cols(); ++c) {
      Eigen::Index row = 0;
      Eigen::Index column = c;
      for (Eigen::Index k = 0; k < steps_; ++k) {
        for (Eigen::Index j = c; j < rows_.cols(); ++j) {
          if (std::abs(rows_(k, j)) > std::abs(rows_(row, column))) {
            row = k;
            column = j;
          }
        }
      }
      const double pivot = rows_(row, column);
      if (pivot == 0.0) {
        return;
      }
      const Matrix pivots = rows_.row(row);
      for (Eigen::Index i = 0; i < rows_.rows(); ++i) {
        std::swap(rows_(i, c), rows_(i, column));
        rows_(i, c) /= pivot;
        for (Eigen::Index j = 0; j < rows_.cols(); ++j) {
          const Eigen::Index from = j == column ? c : j;
          if (j != c) {
            rows_(i, j) -= pivots(from) * rows_(i, c);
          }
          if (std::abs(rows_(i, j)) <= kDirectionRounding) {
            rows_(i, j) = 0.0;
          }
        }
      }
    }
  }

  double below(Eigen::Index i) const {
    return i < steps_ ? face_.low[i] - face_.start[i] : -std::numeric_limits<double>::infinity();
  }
  double above(Eigen::Index i) const {
    return i < steps_ ? face_.high[i] - face_.start[i] : face_.room[i - steps_];
  }

  double rounding(Eigen::Index k) const {
    double moved = face_.high[k] - face_.low[k];
    for (Eigen::Index j = 0; j < t_.size(); ++j) {
      moved += std::abs(rows_(k, j) * t_(j));
    }
    return kRounding * moved;
  }

  double off(Eigen::Index k, double at) const { return face_.start[k] + at - face_.target[k]; }

  double curvature(Eigen::Index k, double at) const {
    const bool over = off(k, at) > 0.0;
    const double size = over ? face_.above[k] : face_.below[k];
    return 2.0 / (size > 0.0 ? size : over ? face_.below[k] : face_.above[k]);
  }

  Matrix held_rows() const {
    std::vector<Eigen::Index> held;
    for (Eigen::Index i = 0; i < rows_.rows(); ++i) {
      if (held_[static_cast<std::size_t>(i)] != 0) {
        held.push_back(i);
      }
    }
    Matrix normals(static_cast<Eigen::Index>(held.size()), rows_.cols());
    for (std::size_t i = 0; i < held.size(); ++i) {
      normals.row(static_cast<Eigen::Index>(i)) = rows_.row(held[i]);
    }
    return normals;
  }

  /// The way to the minimum of the regret as it curves here, along which nothing held changes.
  Matrix newton(const Matrix& at) const {
    const Matrix normals = held_rows();
    Matrix open = Matrix::Identity(t_.size(), t_.size());
    if (normals.rows() > 0) {
      open = kernel(normals, 0.0);
    }
    if (open.cols() == 0) {
      return Matrix::Zero(t_.size(), 1);
    }
    Matrix moved = product(rows_.topRows(steps_), open);
    Vector rest(steps_);
    for (Eigen::Index k = 0; k < steps_; ++k) {
      const double weight = std::sqrt(curvature(k, at(k)));
      rest[k] = -weight * off(k, at(k));
      for (Eigen::Index c = 0; c < moved.cols(); ++c) {
        moved(k, c) *= weight;
      }
    }
    // Of the regret only what moves counts: the rest, if large, would leave its rounding in the
    // way.
    const Matrix across = moved.transpose();
    const Vector moving = least_norm_solution(across, product(across, rest));
    return product(open, least_norm_solution(moved, moving));
  }

  /// Where the regret is least on the way, up to `share` of it: it curves otherwise beyond targets.
  double least_along(const Matrix& at, const Matrix& towards, double share) const {
    double least = share;
    for (int turn = 0; turn < kTurns; ++turn) {
      double slope = 0.0;
      double size = 0.0;
      double curve = 0.0;
      for (Eigen::Index k = 0; k < steps_; ++k) {
        const double there = at(k) + least * towards(k);
        const double curved = curvature(k, there) * towards(k);
        slope += curved * off(k, there);
        size += std::abs(curved * off(k, there));
        curve += curved * towards(k);
      }
      if (slope <= kSlope * size) {
        break;
      }
      least = std::max(0.0, least - slope / curve);
    }
    return least;
  }

  const FaceProblem& face_;
  Eigen::Index steps_;
  Matrix rows_;
  std::vector<int> held_;  // (rows) at which end, above or below
  Matrix t_;
};

}  // namespace

Array minimise_by_active_sets(const FaceProblem& face, const Array& near, Checkpoint* checkpoint) {
  const Eigen::Index rows = face.start.size() + face.room.size();
  if (checkpoint != nullptr) {  // what the constructor does
    const auto d = static_cast<double>(face.directions.cols());
    checkpoint->pass(d * d * static_cast<double>(rows + face.start.size()));
  }
  ActiveSets sets(face, near);
  for (Eigen::Index pass = 0; pass < 6 * rows + 8; ++pass) {
    if (checkpoint != nullptr) {
      checkpoint->pass(sets.work());
    }
    if (!sets.advance() && !sets.release()) {
      return sets.ends_met();
    }
  }
  return near;
}

}  // namespace kpm
