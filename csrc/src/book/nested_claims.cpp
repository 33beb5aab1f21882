#include "book/nested_claims.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace kpm {

/// From the smallest set to the largest: those so far that a set meets must lie in it.
NestedClaims::NestedClaims(const Matrix& payoffs) {
  const auto claims = static_cast<std::size_t>(payoffs.rows());
  const int none = static_cast<int>(claims);
  std::vector<double> size(claims, 0.0);
  std::vector<std::pair<double, int>> sizes;  // of equals the earlier first
  sizes.reserve(claims);
  for (int k = 0; k < none; ++k) {
    double& states = size[static_cast<std::size_t>(k)];
    for (Eigen::Index i = 0; i < payoffs.cols(); ++i) {
      if (payoffs(k, i) != 0.0 && payoffs(k, i) != 1.0) {
        return;
      }
      states += payoffs(k, i);
    }
    sizes.emplace_back(states, k);
  }
  std::sort(sizes.begin(), sizes.end());
  around_.assign(claims, none);
  claim_.assign(static_cast<std::size_t>(payoffs.cols()), none);
  std::vector<int> largest(claim_);  // (states) of the sets so far around each
  std::vector<int> order;
  order.reserve(claims);
  for (const auto& [states, k] : sizes) {
    double within = 0.0;
    for (std::size_t i = 0; i < largest.size(); ++i) {
      if (payoffs(k, static_cast<Eigen::Index>(i)) == 0.0) {
        continue;
      }
      const int inner = largest[i];
      largest[i] = k;
      if (inner == none) {
        claim_[i] = k;
        within += 1.0;
      } else if (around_[static_cast<std::size_t>(inner)] != k) {
        around_[static_cast<std::size_t>(inner)] = k;
        within += size[static_cast<std::size_t>(inner)];
      }
    }
    if (within != states) {
      return;
    }
    order.push_back(k);
  }
  order_ = std::move(order);
}

void NestedClaims::apply(const ArrayView& x, Eigen::Ref<Array> out) const {
  std::fill_n(out.data(), out.size(), 0.0);
  for (Eigen::Index i = 0; i < states(); ++i) {
    if (claim_of(i) < out.size()) {
      out[claim_of(i)] += x[i];
    }
  }
  for (const int k : order_) {
    if (around(k) < out.size()) {
      out[around(k)] += out[k];
    }
  }
}

void NestedClaims::apply_transposed(const ArrayView& y, Eigen::Ref<Array> out) const {
  const std::vector<double> sum = sums_around(y.data());
  for (Eigen::Index i = 0; i < states(); ++i) {
    out[i] = sum[static_cast<std::size_t>(claim_of(i))];
  }
}

double NestedClaims::least_owed(const double* y) const {
  const std::vector<double> sum = sums_around(y);
  double least = sum[static_cast<std::size_t>(claim_of(0))];
  for (const int claim : claim_) {
    least = std::min(least, sum[static_cast<std::size_t>(claim)]);
  }
  return least;
}

/// Of the number of each claim and of those around it; nothing for the set of all states.
std::vector<double> NestedClaims::sums_around(const double* y) const {
  std::vector<double> sum(order_.size() + 1, 0.0);
  for (auto k = order_.rbegin(); k != order_.rend(); ++k) {
    sum[static_cast<std::size_t>(*k)] = sum[static_cast<std::size_t>(around(*k))] + y[*k];
  }
  return sum;
}

}  // namespace kpm
