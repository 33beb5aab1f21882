// Vectors and matrices for tests. Not Eigen's Random(): what that draws depends on the C library,
// and on which tests ran before.
#pragma once

#include "check.hpp"
#include "numerics/dense.hpp"

namespace kpm::test {

/// Entries from [-1, 1).
inline Matrix random_matrix(Random& random, Eigen::Index rows, Eigen::Index columns) {
  Matrix matrix(rows, columns);
  for (double& entry : matrix.reshaped()) {
    entry = random.uniform(-1.0, 1.0);
  }
  return matrix;
}

inline Vector random_vector(Random& random, Eigen::Index size) {
  return random_matrix(random, 1, size).row(0).transpose();
}

inline Array random_array(Random& random, Eigen::Index size) {
  return random_vector(random, size).array();
}

}  // namespace kpm::test
