// The least regret on a face, against the conditions that tell a minimum.
#include <algorithm>
#include <cmath>

#include "check.hpp"
#include "selection/active_sets.hpp"

namespace kpm {
namespace {

double regret(const FaceProblem& face, const Array& y) {
  double sum = 0.0;
  for (Eigen::Index k = 0; k < y.size(); ++k) {
    const double off = y[k] - face.target[k];
    sum += off * off / (off > 0.0 ? face.above[k] : off < 0.0 ? face.below[k] : 1.0);
  }
  return sum;
}

FaceProblem empty_face(int m, int d) {
  FaceProblem face;
  for (Array* array :
       {&face.start, &face.low, &face.high, &face.target, &face.below, &face.above}) {
    *array = Array::Zero(m);
  }
  face.directions = Matrix::Zero(m, d);
  face.limits = Matrix::Zero(0, d);
  face.room = Array::Zero(0);
  return face;
}

/// Bids alone, offers alone or both, in steps of widths 1 to 10^decades; `d` directions of -1,
/// 0, 1.
FaceProblem random_face(test::Random& random, int m, int d, int decades) {
  FaceProblem face = empty_face(m, d);
  for (int k = 0; k < m; ++k) {
    const double size = std::pow(10.0, random.below(decades + 1));
    const int kind = random.below(3);
    face.below[k] = kind == 1 ? 0.0 : size * (1 + random.below(5));
    face.above[k] = kind == 0 ? 0.0 : size * (1 + random.below(5));
    face.high[k] = face.below[k] + face.above[k];
    face.target[k] = face.below[k];
    face.start[k] = random.uniform() * face.high[k];
    for (int j = 0; j < d; ++j) {
      face.directions(k, j) = random.below(3) - 1;
    }
  }
  return face;
}

double least_by_bisection(const FaceProblem& face) {
  double low = -1e300;
  double high = 1e300;
  for (Eigen::Index k = 0; k < face.start.size(); ++k) {
    const double moved = face.directions(k, 0);
    if (moved != 0.0) {
      const double one = (face.low[k] - face.start[k]) / moved;
      const double other = (face.high[k] - face.start[k]) / moved;
      low = std::max(low, std::min(one, other));
      high = std::min(high, std::max(one, other));
    }
  }
  if (high >= 1e300) {
    return 0.0;  // nothing moves
  }
  for (int halving = 0; halving < 200; ++halving) {
    const double middle = 0.5 * (low + high);
    double slope = 0.0;
    for (Eigen::Index k = 0; k < face.start.size(); ++k) {
      const double moved = face.directions(k, 0);
      const double off = face.start[k] - face.target[k] + middle * moved;
      slope += moved * off / (off > 0.0 ? face.above[k] : off < 0.0 ? face.below[k] : 1.0);
    }
    (slope > 0.0 ? high : low) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

/// Two complete sets, each bid for as often as the other's parts are: rule 2 fills both to the last
/// share, however unequal they are, and at the end of each step the slope of its regret vanishes.
TEST(complete_sets_fill_to_the_last_share) {
  for (const double wide : {1e-6, 3.0, 1e3, 3e6, 1e9}) {
    FaceProblem face = empty_face(5, 2);
    face.high << 3.0, 3.0, wide, wide, wide;
    face.target = face.below = face.high;
    face.start << 1.25, 1.25, 0.125 * wide, 0.125 * wide, 0.125 * wide;
    face.directions << 0.6, -0.8, 0.6, -0.8, 0.8, 0.6, 0.8, 0.6, 0.8, 0.6;
    const Array best = minimise_by_active_sets(face, project_on_face(face));
    CHECK((best == face.high).all());
  }
}

/// Demand that the rule wants this close to an end, and not at it, is left there.
TEST(demand_inside_its_step_stays_there) {
  for (const double short_of : {1e-6, 1e-9, 1e-12}) {
    FaceProblem face = empty_face(2, 1);
    face.high << 3.0, 3.0 + short_of;
    face.target = face.below = face.high;
    face.directions << 1.0, 1.0;
    const Array best = minimise_by_active_sets(face, project_on_face(face));
    CHECK(best[0] == 3.0);
    CHECK_NEAR(face.high[1] - best[1], short_of, 1e-15);
  }
}

/// Along one direction the least regret is where its slope, which only rises, changes sign.
TEST(along_one_direction_the_slope_changes_sign) {
  test::Random random(83);
  int at_ends = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const FaceProblem face = random_face(random, 2 + random.below(4), 1, trial % 10);
    const double least = least_by_bisection(face);
    const Array wanted = face.start + least * face.directions.col(0).array();
    const Array best = minimise_by_active_sets(face, project_on_face(face));
    const Array widths = face.high - face.low + std::abs(least);
    for (Eigen::Index k = 0; k < wanted.size(); ++k) {
      CHECK_NEAR(best[k], wanted[k], 1e-12 * widths[k]);
      for (const double end : {face.low[k], face.high[k]}) {
        if (wanted[k] == end) {
          CHECK(best[k] == end);
          ++at_ends;
        }
      }
    }
  }
  CHECK(at_ends > 500);
}

/// Along several it is nowhere more than where the interior-point method ends.
TEST(active_sets_end_no_higher_than_they_start) {
  test::Random random(84);
  for (int trial = 0; trial < 1000; ++trial) {
    const int d = 1 + random.below(4);
    const FaceProblem face = random_face(random, d + random.below(4), d, trial % 7);
    const Array near = project_on_face(face);
    const Array best = minimise_by_active_sets(face, near);
    CHECK((best >= face.low).all() && (best <= face.high).all());
    CHECK_AT_MOST(regret(face, best), regret(face, near), 1e-12 * regret(face, face.start));
  }
}

}  // namespace kpm
