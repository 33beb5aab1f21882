#include "check.hpp"
#include "numerics/product_log.hpp"
#include "numerics/variance.hpp"
#include "random_book.hpp"

namespace kpm {
namespace {

using One = Eigen::Array<double, 1, 1>;

struct Record {
  double weight, value;
};

double variance(const std::vector<Record>& records, double unit) {
  return variance_of<1>(
      records, [](const Record& record) { return One::Constant(record.weight).eval(); },
      [](const Record& record) { return One::Constant(record.value).eval(); }, unit);
}

}  // namespace

TEST(variance_has_the_digits_of_rare_values_and_no_rounding_of_others) {
  test::Random random(21);
  for (int trial = 0; trial < 200; ++trial) {
    const int n = 1 + random.below(8);
    const Array q = test::random_distribution(random, n);
    std::vector<Record> records;
    long double mean = 0.0L;
    long double square = 0.0L;
    for (int i = 0; i < n; ++i) {
      records.push_back({q[i], random.uniform(-1.0, 1.0)});
      mean += static_cast<long double>(q[i]) * records.back().value;
    }
    for (const Record& record : records) {
      const long double off = record.value - mean;
      square += record.weight * off * off;
    }
    CHECK_NEAR(variance(records, 1.0), static_cast<double>(square), 1e-15);
    CHECK_NEAR(variance(records, 1e-100) * 1e-200, static_cast<double>(square), 1e-15);
  }
  CHECK(variance({{1.0, 0.3}, {1e-300, 1.3}}, 1.0) > 0.99e-300);
  CHECK(variance({{0.25, 0.1}, {0.75, 0.1}}, 1.0) == 0.0);
}

TEST(the_product_logarithm_is_right_to_a_digit) {
  for (double x = -30.0; x < 700.0; x += 0.37) {
    const double u = product_log(x);
    CHECK(u > 0.0);
    CHECK_NEAR(u + std::log(u) - x, 0.0, 0.1 * (1.0 + u));
  }
}

}  // namespace kpm
