#include <algorithm>

#include "check.hpp"
#include "numerics/linear_equations.hpp"

namespace kpm {

namespace {

Eigen::MatrixXd draw(test::Random& random, Eigen::Index rows, Eigen::Index columns) {
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return random.uniform(-1.0, 1.0); });
}

struct OfRank {
  Eigen::MatrixXd a;
  Eigen::Index rank;
};

OfRank draw_of_any_rank(test::Random& random) {
  const Eigen::Index m = 1 + random.below(8);
  const Eigen::Index n = 1 + random.below(8);
  const Eigen::Index rank = std::min({m, n, Eigen::Index{1} + random.below(8)});
  return {draw(random, m, rank) * draw(random, rank, n), rank};
}

}  // namespace

TEST(a_kernel_is_orthonormal_and_of_the_right_dimension) {
  test::Random random(1);
  for (int round = 0; round < 200; ++round) {
    const auto [a, rank] = draw_of_any_rank(random);
    const Matrix basis = kernel(a, 1e-10);
    CHECK(basis.rows() == a.cols() && basis.cols() == a.cols() - rank);
    CHECK((a * basis).cwiseAbs().sum() < 1e-12);
    CHECK((basis.transpose() * basis).isIdentity(1e-12));
  }
}

TEST(what_hardly_counts_is_in_the_kernel) {
  Eigen::MatrixXd a = Eigen::MatrixXd::Identity(3, 3);
  a(2, 2) = 1e-9;
  CHECK(kernel(a, 1e-8).cols() == 1);
  CHECK(kernel(a, 1e-10).cols() == 0);
}

TEST(a_solution_is_the_shortest_of_the_nearest) {
  test::Random random(2);
  for (int round = 0; round < 200; ++round) {
    const auto [a, rank] = draw_of_any_rank(random);
    const Vector b = draw(random, a.rows(), 1);
    const Vector x = least_norm_solution(a, b, 1e-10);
    CHECK((a.transpose() * (a * x - b)).cwiseAbs().sum() < 1e-9 * (1.0 + x.cwiseAbs().sum()));
    CHECK((kernel(a, 1e-10).transpose() * x).cwiseAbs().sum() < 1e-9 * (1.0 + x.norm()));
  }
}

}  // namespace kpm
