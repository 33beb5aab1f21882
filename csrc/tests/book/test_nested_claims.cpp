#include "book/nested_claims.hpp"
#include "check.hpp"
#include "random_dense.hpp"

namespace kpm {

namespace {

/// By the definition: claims pay 0 or 1, and no two sets overlap in part.
bool are_nested(const Matrix& payoffs) {
  if (!((payoffs.array() == 0.0) || (payoffs.array() == 1.0)).all()) {
    return false;
  }
  for (Eigen::Index k = 0; k < payoffs.rows(); ++k) {
    for (Eigen::Index l = 0; l < k; ++l) {
      const double both = payoffs.row(k).dot(payoffs.row(l));
      if (both != 0.0 && both != payoffs.row(k).sum() && both != payoffs.row(l).sum()) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

TEST(nested_claims_are_recognised_and_their_products_are_right) {
  test::Random random(49);
  int found = 0;
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const int claims = 1 + random.below(5);
    const int states = 1 + random.below(8);
    Matrix payoffs = Matrix::Zero(claims, states);
    for (int k = 0; k < claims; ++k) {
      const int from = random.below(states);
      const int to = from + 1 + random.below(states - from);
      payoffs.row(k).segment(from, to - from).setConstant(random.below(30) > 0 ? 1.0 : 0.5);
    }
    const NestedClaims known(payoffs);
    CHECK(known.nested() == are_nested(payoffs));
    if (!known.nested()) {
      ++refused;
      continue;
    }
    ++found;
    const Array x = test::random_array(random, states);
    const Array y = test::random_array(random, claims);
    Array worth(claims);
    Array owed(states);
    known.apply(x, worth);
    known.apply_transposed(y, owed);
    for (int k = 0; k < claims; ++k) {
      CHECK_NEAR(worth[k], payoffs.row(k).dot(x.matrix()), 1e-15 * states);
    }
    CHECK(known.least_owed(y.data()) == owed.minCoeff());
    for (int i = 0; i < states; ++i) {
      CHECK_NEAR(owed[i], payoffs.col(i).dot(y.matrix()), 1e-15 * claims);
    }
  }
  CHECK(found > 500 && refused > 500);
}

}  // namespace kpm
