#include "book/disjoint_claims.hpp"

namespace kpm {

DisjointClaims::DisjointClaims(const Matrix& payoffs)
    : disjoint_(true), covering_(true), claim_(static_cast<std::size_t>(payoffs.cols()), kNone) {
  for (Eigen::Index k = 0; k < payoffs.rows(); ++k) {
    for (Eigen::Index i = 0; i < payoffs.cols(); ++i) {
      if (payoffs(k, i) == 0.0) {
        continue;
      }
      int& claim = claim_[static_cast<std::size_t>(i)];
      if (payoffs(k, i) != 1.0 || claim != kNone) {
        *this = {};
        return;
      }
      claim = static_cast<int>(k);
    }
  }
  for (const int claim : claim_) {
    covering_ = covering_ && claim != kNone;
  }
}

}  // namespace kpm
