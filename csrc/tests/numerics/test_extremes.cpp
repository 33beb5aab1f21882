#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "numerics/extremes.hpp"
#include "random_book.hpp"

namespace kpm {

TEST(extremes_are_those_of_any_count_wherever_they_stand) {
  test::Random random(5);
  for (int count = 1; count <= 13; ++count) {
    for (int place = 0; place < count; ++place) {
      std::vector<double> numbers(static_cast<std::size_t>(count));
      for (double& number : numbers) {
        number = random.uniform(-1.0, 1.0);
      }
      const auto at = static_cast<std::size_t>(place);
      const auto opposite = static_cast<std::size_t>(count - 1 - place);
      numbers[opposite] = -1e30;
      numbers[at] = 1e30;
      const auto [least, greatest] = extremes_of(numbers.data(), count);
      CHECK(least == *std::min_element(numbers.begin(), numbers.end()));
      CHECK(greatest == 1e30);
      for (const double endless : {HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
        numbers[at] = endless;
        const auto [none, neither] = extremes_of(numbers.data(), count);
        CHECK(std::isnan(none) && std::isnan(neither));
      }
    }
  }
}

}  // namespace kpm
