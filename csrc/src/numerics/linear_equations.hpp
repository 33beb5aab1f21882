// Linear equations of any rank, solved by the library's orthogonal decompositions. They are
// in one file because each further use would compile them again.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

/// Orthonormal columns that span {x : A x = 0}. Directions that A shrinks below `dependent` times
/// the most count as its kernel.
Matrix kernel(const Eigen::MatrixXd& a, double dependent);

/// The shortest x among those that minimise |A x - b|; `dependent` as for the kernel, by default
/// what rounding makes of zero.
Vector least_norm_solution(const Eigen::MatrixXd& a, const Vector& b, double dependent = 0.0);

}  // namespace kpm
