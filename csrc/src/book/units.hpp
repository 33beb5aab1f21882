// From scaled units back to the caller's.
#pragma once

#include <vector>

#include "book/scaled_market.hpp"
#include "kpm/kpm.hpp"

namespace kpm {

inline std::vector<double> to_vector(const Array& from) {
  return std::vector<double>(from.data(), from.data() + from.size());
}

inline double to_money(const ScaledMarket& scaled, double certainty_equivalent) {
  return scaled.inventory_floor + scaled.scale * certainty_equivalent;
}

/// Multipliers of the caller's claims, per share, from those of the scaled ones.
inline std::vector<double> original_multipliers(int claims, const ScaledMarket& scaled,
                                                const ArrayView& lambda) {
  std::vector<double> result(static_cast<std::size_t>(claims), 0.0);
  for (int k = 0; k < scaled.claims(); ++k) {
    const auto source = static_cast<std::size_t>(scaled.original[static_cast<std::size_t>(k)]);
    result[source] = lambda[k] * (scaled.scale / scaled.span[k]);
  }
  return result;
}

}  // namespace kpm
