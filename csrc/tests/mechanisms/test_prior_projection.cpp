// The projection of the prior on ranges of prices.
#include <vector>

#include "kpm/kpm.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

struct Ranges {
  explicit Ranges(const test::RandomBook& book) {
    for (int k = 0; k < book.claims; ++k) {
      double price = 0.0;
      for (int i = 0; i < book.states; ++i) {
        price += book.payoffs_of(k)[i] * book.prior[static_cast<std::size_t>(i)];
      }
      low.push_back(price + 1e-3);
      high.push_back(price + 1.0);
    }
  }

  std::vector<double> low, high;
};

}  // namespace

TEST(a_projection_ends_when_it_is_told_to) {
  test::Random random(21);
  const test::RandomBook book(random, 60, 12, 0);
  const Ranges ranges(book);
  int asked = 0;
  const auto stop = [&] {
    ++asked;
    return true;
  };
  // Looked at after 20 ms at the latest: until then it may be there.
  const test::RandomBook large(random, 900, 500, 0);
  const Ranges of_large(large);
  const PriorProjection stopped =
      project_prior(large.market(), of_large.low.data(), of_large.high.data(), stop);
  CHECK(stopped.interrupted && !stopped.reached && asked == 1);
  const PriorProjection whole = project_prior(book.market(), ranges.low.data(), ranges.high.data());
  CHECK(!whole.interrupted);
}

}  // namespace kpm
