// The orders of a claim, sorted.
#pragma once

#include <cstddef>
#include <vector>

#include "kpm/kpm.hpp"
#include "numerics/large_array.hpp"

namespace kpm {

struct Quote {
  double price;
  double quantity;  ///< signed: bought minus sold
};

/// Orders grouped by claim, each group sorted by price, then signed quantity: the same however the
/// book is listed. Orders of zero quantity are left out.
struct Quotes {
  Quotes(const Market& market, const Orders& orders);

  std::vector<std::ptrdiff_t> first;  ///< (claims + 1)
  LargeArray<Quote> quotes;
};

}  // namespace kpm
