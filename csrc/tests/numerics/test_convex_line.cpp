#include <algorithm>
#include <vector>

#include "check.hpp"
#include "numerics/convex_line.hpp"

namespace kpm {

namespace {

/// The largest of some lines.
struct Lines {
  struct Line {
    double at_zero, slope;
  };

  const Line& largest(double x) const {
    return *std::max_element(lines.begin(), lines.end(), [x](const Line& a, const Line& b) {
      return a.at_zero + a.slope * x < b.at_zero + b.slope * x;
    });
  }
  double value(double x) const { return largest(x).at_zero + largest(x).slope * x; }

  std::vector<Line> lines;
};

}  // namespace

TEST(the_minimum_of_the_largest_of_lines_is_found_exactly) {
  test::Random random(311);
  for (int trial = 0; trial < 300; ++trial) {
    Lines lines;
    const int count = 2 + random.below(20);
    for (int n = 0; n < count; ++n) {
      const double slope = random.uniform(-1.0, 1.0) + (n == 0 ? 1.5 : n == 1 ? -1.5 : 0.0);
      lines.lines.push_back({random.uniform(-1.0, 1.0), slope});
    }
    double least = ConvexLine::kNowhere;  // where two lines meet
    for (const Lines::Line& a : lines.lines) {
      for (const Lines::Line& b : lines.lines) {
        if (a.slope != b.slope) {
          least = std::min(least, lines.value((b.at_zero - a.at_zero) / (a.slope - b.slope)));
        }
      }
    }
    ConvexLine line(random.uniform(-100.0, 100.0), 1e-3);
    int steps = 0;
    do {
      ++steps;
      CHECK_AT_MOST(line.bound(), least, 1e-12);
    } while (line.add(lines.value(line.next()), lines.largest(line.next()).slope) &&
             line.best().value - line.bound() > 1e-13 && steps < 60);
    CHECK(steps < 60);
    CHECK_NEAR(line.best().value, least, 1e-9);
    CHECK_NEAR(line.best().value, lines.value(line.best().at), 0.0);
    CHECK(line.low().at <= line.best().at && line.best().at <= line.high().at);
  }
}

TEST(a_function_without_a_value_is_bounded_by_nothing) {
  ConvexLine line(0.0, 1.0);
  CHECK(!line.add(ConvexLine::kNowhere, 0.0));
  CHECK(line.best().value == ConvexLine::kNowhere);
}

}  // namespace kpm
