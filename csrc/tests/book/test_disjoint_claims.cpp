#include "book/disjoint_claims.hpp"
#include "check.hpp"
#include "random_dense.hpp"

namespace kpm {

/// By the definition: no state pays in two claims, and a claim pays 0 or 1.
TEST(disjoint_claims_are_recognised_and_their_products_are_right) {
  test::Random random(41);
  int found = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const int claims = 1 + random.below(4);
    const int states = 1 + random.below(6);
    Matrix payoffs = Matrix::Zero(claims, states);
    for (int i = 0; i < states; ++i) {
      if (random.below(5) > 0) {
        payoffs(random.below(claims), i) = random.below(12) > 0 ? 1.0 : 0.5;
      }
      if (random.below(12) == 0) {
        payoffs(random.below(claims), i) = 1.0;
      }
    }
    bool disjoint = true;
    bool covering = true;
    for (int i = 0; i < states; ++i) {
      const double paid = payoffs.col(i).sum();
      disjoint = disjoint && (paid == 0.0 || (paid == 1.0 && payoffs.col(i).maxCoeff() == 1.0));
      covering = covering && paid > 0.0;
    }
    const DisjointClaims known(payoffs);
    CHECK(known.disjoint() == disjoint);
    if (!disjoint) {
      continue;
    }
    ++found;
    CHECK(known.covering() == covering);
    const Array x = test::random_array(random, states);
    const Array y = test::random_array(random, claims);
    Array worth(claims);
    known.apply(x, worth);
    for (int k = 0; k < claims; ++k) {
      CHECK_NEAR(worth[k], payoffs.row(k).dot(x.matrix()), 1e-15 * states);
    }
    for (int i = 0; i < states; ++i) {
      CHECK(known.at(y, i) == payoffs.col(i).dot(y.matrix()));
    }
  }
  CHECK(found > 200);
}

}  // namespace kpm
