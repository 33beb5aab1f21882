// How the risk measure curves along claims.
#pragma once

#include <vector>

#include "numerics/dense.hpp"

namespace kpm {

/// Second derivatives of rho(P'y - w) in the y of some claims, the lower triangle, at the worst
/// case p inside the ball's boundary and state prices g = p u, u = e^{a (L - rho)}; P is `payoffs`.
/// p moves with the losses on the sphere KL(p|q) = Omega, on which p ~ q e^{u / (a nu)}, nu = d rho
/// / d Omega:
///     a Cov_g(P, P') + (Cov_p(uP, uP') - Cov_p(uP, u) Cov_p(u, uP') / Var_p u) / nu.
/// `multiplier` is nu; infinite where p does not move (Omega = 0).
Matrix risk_curvature(const Matrix& payoffs, const std::vector<int>& claims, const Array& p,
                      const Array& g, double risk_aversion, double multiplier);

}  // namespace kpm
